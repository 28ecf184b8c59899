"""The backbone with token merging: close to the exact one, with its weights."""

import copy
from functools import partial

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.benchmarks.flops import count_multiply_adds
from mmxclip.models import TokenMergingXCLIPViT, XCLIPViT

ARCH = dict(img_size=32, patch_size=4, embed_dims=32, depth=3, num_heads=2, out_dims=16)


def pair(**kwargs):
    """Both backbones with the same weights."""
    exact = XCLIPViT(ARCH, **kwargs).eval()
    merging = TokenMergingXCLIPViT(ARCH, merge_tokens=10, **kwargs).eval()
    merging.load_state_dict(exact.state_dict())
    return exact, merging


def plain_videos(backbones, n=2, t=3):
    """Videos of patches of two kinds, and backbones that do not see their places."""
    for backbone in backbones:
        backbone.positional_embedding.data[:] = backbone.positional_embedding.data[0]
    kinds = torch.randn(n, 3, t, 2, 4, 4)
    which = torch.arange(64).view(8, 8) % 5 % 2
    patches = kinds[:, :, :, which]  # (N, 3, T, 8, 8, 4, 4)
    return patches.transpose(4, 5).reshape(n, 3, t, 32, 32)


@pytest.mark.parametrize('out_type', ['tokens', 'featmap', 'pooled'])
def test_equal_patches_merge_without_a_trace(out_type):
    exact, merging = pair(out_type=out_type)
    videos = plain_videos((exact, merging))
    torch.testing.assert_close(merging(videos), exact(videos), atol=1e-5, rtol=1e-5)


def test_training_with_checkpoints_is_the_same():
    grads = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        backbone = TokenMergingXCLIPViT(ARCH, merge_tokens=10, with_cp=with_cp)
        embeds, tokens = backbone(torch.randn(2, 3, 3, 32, 32))
        (embeds.sum() + tokens.square().mean()).backward()
        grads.append([p.grad for p in backbone.parameters()])
    torch.testing.assert_close(*grads)


@pytest.mark.slow
def test_less_is_computed_and_compiled_the_same():
    exact, merging = pair()
    videos = torch.randn(1, 3, 2, 32, 32)
    work = []
    for backbone in (exact, merging):
        ghost = copy.deepcopy(backbone).to('meta')
        work.append(count_multiply_adds(partial(ghost, videos.to('meta'))))
    assert work[1] < 0.85 * work[0]
    expected = merging(videos)
    compiled = torch.compile(merging, fullgraph=True, backend='aot_eager')
    torch.testing.assert_close(compiled(videos), expected)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(merge_tokens=17), 'merge_tokens must be at most 16 for 64 patches and 3'),
        (dict(merge_tokens=0), 'merge_tokens must be an integer from 1'),
        (dict(communication='joint'), r"\['message'\].*'joint'"),
    ],
)
def test_what_cannot_be_merged_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='TokenMergingXCLIPViT', arch=ARCH, **options))


def test_the_most_that_can_be_merged_runs():
    backbone = TokenMergingXCLIPViT(ARCH, merge_tokens=16)
    embeds, tokens = backbone(torch.randn(1, 3, 2, 32, 32))
    assert embeds.shape == (1, 2, 16)
    assert tokens.shape == (1, 2, 64, 32)
