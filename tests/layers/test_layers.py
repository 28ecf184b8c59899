"""Layers against torch's own modules and against plain formulas."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmxclip.layers import (
    CrossAttention,
    CrossFrameAttentionBlock,
    DropPath,
    QuickGELU,
    SelfAttention,
    drop_path_schedule,
    resize_spatial_pos_embed,
    resize_temporal_pos_embed,
)


def test_quick_gelu_is_the_formula():
    x = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(QuickGELU()(x), x * torch.sigmoid(1.702 * x))


@pytest.mark.parametrize('is_causal', [False, True])
def test_self_attention_equals_torch(is_causal):
    ours, theirs = SelfAttention(32, 4), nn.MultiheadAttention(32, 4, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(3, 7, 32)
    mask = nn.Transformer.generate_square_subsequent_mask(7) if is_causal else None
    expected, _ = theirs(x, x, x, attn_mask=mask, need_weights=False)
    torch.testing.assert_close(ours(x, is_causal=is_causal), expected)


def test_self_attention_starts_as_torchs():
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True).state_dict()
    torch.manual_seed(0)
    for name, tensor in SelfAttention(32, 4).state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


def test_fewer_queries_are_the_first_rows():
    attention, x = SelfAttention(32, 4), torch.randn(3, 7, 32)
    torch.testing.assert_close(attention(x, num_queries=5), attention(x)[:, :5])


def test_cross_attention_projects_shared_queries_once():
    attention = CrossAttention(32, 4)
    x, context = torch.randn(1, 5, 32), torch.randn(3, 7, 32)
    torch.testing.assert_close(
        attention(x, context), attention(x.repeat(3, 1, 1), context)
    )


@pytest.mark.parametrize('make', [SelfAttention, CrossAttention])
def test_heads_must_divide_the_width(make):
    with pytest.raises(ValueError, match='multiple of num_heads'):
        make(32, 5)


def test_frames_of_a_video_communicate_and_videos_do_not():
    block = CrossFrameAttentionBlock(32, 4).eval()
    x = torch.randn(2, 3, 5, 32)
    changed = x.clone()
    changed[0, 2] = torch.randn(5, 32)
    difference = (block(changed) - block(x)).abs().amax(dim=(2, 3))  # (N, T)
    assert (difference[0] > 1e-6).all()
    assert (difference[1] == 0).all()


def test_the_message_joins_clips_attention_as_one_more_token():
    block = CrossFrameAttentionBlock(32, 4).eval()
    x = torch.randn(2, 3, 5, 32)
    message = block.message_fc(x[:, :, 0])
    message = message + block.message_attn(block.message_ln(message))
    frames = x.flatten(0, 1)
    joined = torch.cat([frames, message.view(6, 1, 32)], dim=1)
    expected = frames + block.attn(block.ln_1(joined))[:, :5]
    expected = expected + block.mlp(block.ln_2(expected))
    torch.testing.assert_close(block(x).flatten(0, 1), expected)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    drop, x = DropPath(0.25), torch.ones(4000, 2, 3)
    y = drop(x)
    assert ((y == 0).flatten(1).all(1) | (y == 1 / 0.75).flatten(1).all(1)).all()
    assert y.mean().item() == pytest.approx(1.0, abs=0.05)
    assert drop.eval()(x) is x


@pytest.mark.parametrize('prob', [-0.1, 1.0])
def test_drop_path_rejects_what_is_no_probability(prob):
    with pytest.raises(ValueError, match=r'\[0, 1\)'):
        DropPath(prob)


def test_drop_path_rises_linearly():
    assert drop_path_schedule(0.2, 3) == pytest.approx([0.0, 0.1, 0.2])


def test_drop_path_acts_on_all_three_branches():
    block = CrossFrameAttentionBlock(32, 4, drop_path_rate=0.999)
    x = torch.randn(2, 3, 5, 32)
    torch.testing.assert_close(block.train()(x), x)
    assert not torch.allclose(block.eval()(x), x)


def test_drop_path_drops_messages_of_videos_and_the_rest_of_frames():
    block, samples = CrossFrameAttentionBlock(32, 4, drop_path_rate=0.5), []
    block.drop_path.register_forward_hook(lambda *args: samples.append(len(args[2])))
    block(torch.randn(2, 3, 5, 32))
    assert samples == [2, 6, 6]


def test_same_grid_is_bit_identical():
    pos_embed = torch.randn(17, 8)
    assert resize_spatial_pos_embed(pos_embed, 4) is pos_embed
    temporal = torch.randn(1, 8, 4)
    assert resize_temporal_pos_embed(temporal, 8) is temporal


def test_resized_grid_keeps_class_position_and_a_constant():
    pos_embed = torch.cat([torch.zeros(1, 8), torch.full((16, 8), 3.0)])
    resized = resize_spatial_pos_embed(pos_embed, 6)
    assert resized.shape == (37, 8)
    torch.testing.assert_close(resized[0], pos_embed[0])
    torch.testing.assert_close(resized[1:], torch.full((36, 8), 3.0))


def test_resized_grid_keeps_rows_and_columns_apart():
    row = torch.arange(4.0).repeat_interleave(4)
    column = torch.arange(4.0).repeat(4)
    grid = torch.stack([row, column], dim=1)
    resized = resize_spatial_pos_embed(torch.cat([torch.zeros(1, 2), grid]), 8)
    resized = resized[1:].unflatten(0, (8, 8))
    torch.testing.assert_close(resized[..., 0], resized[..., 1].T)
    assert (resized[1:, :, 0] > resized[:-1, :, 0]).all()


@pytest.mark.parametrize(('old', 'new'), [(4, 6), (9, 3), (14, 24)])
def test_resized_grid_equals_pillows(old, new):
    pos_embed = torch.randn(1 + old**2, 2)
    resized = resize_spatial_pos_embed(pos_embed, new)
    for i in range(2):
        picture = Image.fromarray(pos_embed[1:, i].view(old, old).numpy())
        expected = np.asarray(picture.resize((new, new), Image.Resampling.BICUBIC))
        torch.testing.assert_close(
            resized[1:, i].view(new, new), torch.tensor(expected), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_resized_positions_keep_their_type_and_are_only_rounded(dtype):
    for resize, shape in (
        (resize_spatial_pos_embed, (17, 8)),
        (resize_temporal_pos_embed, (1, 4, 8)),
    ):
        pos_embed = torch.randn(shape).to(dtype)
        resized = resize(pos_embed, 7)
        assert resized.dtype == dtype
        assert torch.equal(resized, resize(pos_embed.float(), 7).to(dtype))


def test_only_square_grids_are_resized():
    with pytest.raises(ValueError, match='square'):
        resize_spatial_pos_embed(torch.randn(8, 4), 5)


def test_resized_time_is_a_ramp_again():
    ramp = torch.arange(4.0).view(1, 4, 1)
    resized = resize_temporal_pos_embed(ramp, 8).flatten()
    assert resized[0] == 0
    assert resized[-1] == 3
    assert (resized.diff() >= 0).all()
