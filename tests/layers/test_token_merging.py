"""Token merging: which tokens merge, what into, and who attends to them."""

import pytest
import torch

from mmxclip.layers import CrossFrameAttentionBlock, MergedTokens, TokenMergingBlock
from mmxclip.layers.token_merging import match_tokens


def test_the_most_similar_pairs_merge():
    a, b, c, d = torch.eye(4)
    # Seekers are a, c and 2d, the others b, a and c + d / 2; the best pairs are
    # a and a (1), c and c + d / 2 (0.9), 2d and c + d / 2 (0.4).
    patches = [a, b, c, a, 2 * d, c + d / 2]
    frame = torch.stack([a, *patches])  # a class token like a patch merges with none
    pairs = [(0, 1), (1, 2), (2, 2)]
    for count in (1, 2, 3):
        stays, joins, partners = match_tokens(frame[None], count)
        assert [*zip(joins[0].tolist(), partners[0].tolist(), strict=True)] == (
            pairs[:count]
        )
        assert stays[0].tolist() == [0, 1, 2][count:]


def test_a_merged_token_is_the_mean_over_its_patches():
    x = torch.randn(1, 1, 5, 8)
    alike = torch.tensor([[0.0, 0], [1, 0], [1, 0.1], [0, 1], [-1, 0]])
    once = MergedTokens.of_patches(x).merge(alike[None], 1)
    assert once.sizes.tolist() == [[1, 1, 2, 1]]
    assert once.places.tolist() == [[2, 2, 1, 3]]  # patches 0 and 1 are token 2 now
    torch.testing.assert_close(once.x[0, 0, 2], x[0, 0, 1:3].mean(0))
    alike = torch.tensor([[0.0, 0], [1, 0], [1, 0.1], [0, 1]])
    twice = once.merge(alike[None], 1)
    assert twice.sizes.tolist() == [[1, 1, 3]]
    of_three = x[0, 0, 1:4].mean(0)
    expected = torch.stack([x[0, 0, 0], of_three, of_three, of_three, x[0, 0, 4]])
    torch.testing.assert_close(twice.spread()[0, 0], expected)


@pytest.fixture
def blocks():
    block, merging = (
        kind(32, 4).eval() for kind in (CrossFrameAttentionBlock, TokenMergingBlock)
    )
    merging.load_state_dict(block.state_dict())
    merging.merge_tokens = 3
    return block, merging


def frames_of_two_patches():
    """Random tokens (2, 3, 17, 32): in a frame, all patches are one of two."""
    kinds = torch.randn(2, 3, 3, 32)
    return kinds[:, :, [0, 1, 2, 2, 1, 2, 1, 1, 1, 2, 2, 2, 1, 1, 2, 1, 2]]


def test_equal_tokens_merge_without_a_trace(blocks):
    block, merging = blocks
    x = frames_of_two_patches()
    tokens = MergedTokens.of_patches(x)
    for _ in range(2):
        x, tokens = block(x), merging(tokens)
        torch.testing.assert_close(tokens.spread(), x, atol=1e-5, rtol=1e-5)
    assert tokens.x.shape == (2, 3, 17 - 6, 32)
    assert tokens.sizes.sum(dim=1).tolist() == 6 * [17]


def test_autocast_leaves_tokens_alone_that_do_not_merge():
    x = torch.randn(2, 3, 17, 8)
    tokens = MergedTokens.of_patches(x)
    expected = tokens.merge(x.flatten(0, 1), 3)
    with torch.autocast('cpu', torch.bfloat16):
        merged = tokens.merge(x.flatten(0, 1), 3)
    torch.testing.assert_close(merged.x, expected.x)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_gradients_pass_through_merged_tokens(blocks, dtype):
    block, merging = blocks
    x = frames_of_two_patches()
    grads = []
    for layer in (block, merging):
        layer.to(dtype).zero_grad()
        start = x.to(dtype)
        if layer is merging:
            layer(MergedTokens.of_patches(start)).spread().square().mean().backward()
        else:
            layer(start).square().mean().backward()
        grads.append([p.grad for p in layer.parameters()])
    for ours, theirs in zip(*grads, strict=True):
        tolerance = 1e-5 if dtype == torch.float32 else 0.05
        assert (ours - theirs).norm() <= tolerance * theirs.norm() + 1e-6


def test_tokens_are_compared_by_their_keys(blocks):
    block, merging = blocks
    for layer in blocks:
        layer.attn.in_proj_weight.data[:32] = 0  # all queries are alike
    x = frames_of_two_patches()
    tokens = merging(MergedTokens.of_patches(x))
    torch.testing.assert_close(tokens.spread(), block(x), atol=1e-5, rtol=1e-5)
