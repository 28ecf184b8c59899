"""The neck: what goes in and out, other frame counts, other backbones."""

import warnings

import pytest
import torch

from mmxclip.models import MIT


def mit(**kwargs):
    return MIT(embed_dims=16, num_frames=4, num_heads=2, **kwargs)


def test_patch_tokens_pass_through():
    frames, patches = torch.randn(2, 4, 16), torch.randn(2, 4, 9, 32)
    (video, same), losses = mit()((frames, patches), data_samples=None)
    assert video.shape == (2, 16)
    assert same is patches
    assert losses == {}


def test_frame_embeddings_alone():
    model, frames = mit().eval(), torch.randn(3, 4, 16)
    video, _ = model(frames)
    assert video.shape == (3, 16)
    for i in range(3):
        torch.testing.assert_close(model(frames[i : i + 1])[0], video[i : i + 1])


def test_feature_map_of_any_backbone():
    model, featmap = mit().eval(), torch.randn(2, 16, 4, 3, 3)
    (video, patches), _ = model(featmap)
    expected, _ = model(featmap.mean(dim=(3, 4)).transpose(1, 2))
    torch.testing.assert_close(video, expected)
    torch.testing.assert_close(patches[1, 2, 5], featmap[1, :, 2, 1, 2])


def test_order_of_frames_matters():
    model, frames = mit().eval(), torch.randn(1, 4, 16)
    assert not torch.allclose(model(frames)[0], model(frames.flip(1))[0])


def test_without_layers_it_adds_position_and_doubles():
    model, frames = mit(depth=0), torch.randn(2, 4, 16)
    expected = (2 * frames + model.positional_embedding).mean(dim=1)
    torch.testing.assert_close(model(frames)[0], expected)


def test_other_frame_counts_warn_once_with_both_numbers():
    model = mit()
    with pytest.warns(UserWarning, match=r'4 frames and gets 6'):
        assert model(torch.randn(2, 6, 16))[0].shape == (2, 16)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        model(torch.randn(2, 6, 16))


def test_default_heads_are_64_wide():
    assert MIT(embed_dims=512).resblocks[0].attn.num_heads == 8
    assert MIT(embed_dims=768).resblocks[0].attn.num_heads == 12


def test_wrong_width_names_the_argument():
    with pytest.raises(ValueError, match='Set embed_dims'):
        mit()(torch.randn(2, 4, 32))


@pytest.mark.parametrize('kind', [tuple, list])
def test_several_stages_are_refused(kind):
    """As pathways of SlowFast, or what Recognizer2D passes on."""
    stages = [torch.randn(2, 16, 4, 7, 7), torch.randn(2, 8, 32, 7, 7)]
    for given in (stages, stages[:1]):
        with pytest.raises(ValueError, match=r'\(2, 16, 4, 7, 7\).*FrameEncoder'):
            mit()(kind(given))


def test_video_without_frames_is_refused():
    with pytest.raises(ValueError, match=r'got shape \(2, 0, 16\)'):
        mit()(torch.randn(2, 0, 16))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(num_frames=0), 'num_frames must be an integer from 1'),
        (dict(depth=-1), 'depth must be an integer from 0'),
        (dict(depth=True), 'depth must be an integer from 0, got True'),
    ],
)
def test_bad_sizes(kwargs, message):
    with pytest.raises(ValueError, match=message):
        MIT(**kwargs)


def test_narrow_models_have_one_head():
    assert MIT(embed_dims=32).resblocks[0].attn.num_heads == 1
