"""Image backbones on each frame."""

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.models import MIT, FrameEncoder

RESNET = dict(
    type='ResNet',
    depth=18,
    num_stages=1,
    strides=(1,),
    dilations=(1,),
    out_indices=(0,),
)


def build(**kwargs):
    arguments = dict(backbone=RESNET, in_channels=64, out_dims=16) | kwargs
    return FrameEncoder(**arguments).eval()


def test_gives_what_mit_takes():
    encoder = build()
    embeds, tokens = encoder(torch.randn(2, 3, 4, 32, 32))
    assert embeds.shape == (2, 4, 16)
    assert tokens.shape == (2, 4, 64, 64)
    torch.testing.assert_close(embeds, encoder.proj(tokens.mean(dim=2)))
    (video, context), _ = MIT(16, num_frames=4, num_heads=2)((embeds, tokens))
    assert video.shape == (2, 16)
    assert context is tokens


def test_frames_and_videos_are_independent():
    encoder, video = build(), torch.randn(2, 3, 4, 32, 32)
    embeds, tokens = encoder(video)
    for n in range(2):
        for t in range(4):
            one = encoder(video[n : n + 1, :, t : t + 1])
            torch.testing.assert_close(one[0][0, 0], embeds[n, t])
            torch.testing.assert_close(one[1][0, 0], tokens[n, t])


def test_of_several_stages_the_last_counts():
    stages = dict(num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1))
    encoder = build(backbone={**RESNET, **stages}, in_channels=128)
    _, tokens = encoder(torch.randn(2, 3, 4, 32, 32))
    assert tokens.shape == (2, 4, 16, 128)


def test_backbone_that_gives_vectors(monkeypatch):
    encoder = build()
    whole = encoder.backbone.forward
    monkeypatch.setattr(encoder.backbone, 'forward', lambda x: whole(x).mean((2, 3)))
    embeds, tokens = encoder(torch.randn(2, 3, 4, 32, 32))
    assert embeds.shape == (2, 4, 16)
    assert tokens.shape == (2, 4, 1, 64)


@pytest.mark.parametrize(
    ('frozen', 'learning'),
    [(False, {'backbone', 'proj'}), ('pretrained', {'proj'}), (True, set())],
)
def test_frozen(frozen, learning):
    encoder = build(frozen=frozen).train()
    names = {name for name, p in encoder.named_parameters() if p.requires_grad}
    assert {name.split('.')[0] for name in names} == learning
    before = encoder.backbone.conv1.bn.running_mean.clone() if frozen else None
    encoder(torch.randn(2, 3, 4, 32, 32))
    if frozen:
        assert torch.equal(encoder.backbone.conv1.bn.running_mean, before)
        assert not encoder.backbone.training


def test_bad_arguments_and_input():
    with pytest.raises(ValueError, match=r"frozen must be one of.*got 'yes'"):
        build(frozen='yes')
    with pytest.raises(ValueError, match=r'in_channels=32.*\(8, 64, 8, 8\)'):
        build(in_channels=32)(torch.randn(2, 3, 4, 32, 32))
    with pytest.raises(ValueError, match=r'\(2, 3, 32, 32\)'):
        build()(torch.randn(2, 3, 32, 32))


@pytest.mark.slow
@pytest.mark.parametrize(
    ('backbone', 'channels', 'num_tokens'),
    [
        (
            dict(
                type='mmpretrain.SwinTransformer',
                arch=dict(embed_dims=16, depths=[1, 1], num_heads=[1, 2]),
                img_size=32,
                window_size=4,
                out_indices=(1,),
            ),
            32,
            16,
        ),
        (
            dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', img_size=32),
            192,
            1,
        ),
    ],
    ids=['swin', 'vit'],
)
@pytest.mark.usefixtures('mmpretrain')
def test_mmpretrain(backbone, channels, num_tokens):
    encoder = MODELS.build(
        dict(type='FrameEncoder', backbone=backbone, in_channels=channels, out_dims=16)
    )
    embeds, tokens = encoder(torch.randn(2, 3, 4, 32, 32))
    assert embeds.shape == (2, 4, 16)
    assert tokens.shape == (2, 4, num_tokens, channels)


def build_without_its_package(**_):
    raise ModuleNotFoundError('No module named x', name='torchvision')


def test_a_missing_package_is_named():
    backbone = dict(type=build_without_its_package)
    with pytest.raises(ImportError, match=r'build_without.*pip install torchvision'):
        MODELS.build(dict(type='FrameEncoder', backbone=backbone, in_channels=8))
