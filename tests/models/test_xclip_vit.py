"""The backbone: shapes, independence of batch and frame count, switches."""

import pytest
import torch
from torch import nn

from mmxclip.layers import (
    CrossFrameAttentionBlock,
    JointAttentionBlock,
    SingleFrameAttentionBlock,
)
from mmxclip.models import XCLIPViT

ARCH = dict(
    img_size=32, patch_size=16, embed_dims=32, depth=2, num_heads=2, out_dims=16
)


def videos(n=2, t=4, size=32):
    return torch.randn(n, 3, t, size, size)


@pytest.mark.parametrize('communication', ['message', 'none', 'joint'])
@pytest.mark.parametrize('num_frames', [1, 4, 7])
def test_frame_count_comes_from_the_input(communication, num_frames):
    model = XCLIPViT(ARCH, communication=communication)
    frame_embeds, patch_tokens = model(videos(t=num_frames))
    assert frame_embeds.shape == (2, num_frames, 16)
    assert patch_tokens.shape == (2, num_frames, 4, 32)


def test_out_types():
    x = videos()
    tokens, featmap, pooled = (
        XCLIPViT(ARCH, out_type=name) for name in ('tokens', 'featmap', 'pooled')
    )
    for model in (featmap, pooled):
        model.load_state_dict(tokens.state_dict())
    frame_embeds, patch_tokens = tokens(x)
    torch.testing.assert_close(pooled(x), frame_embeds.mean(dim=1))
    grid = featmap(x)
    assert grid.shape == (2, 32, 4, 2, 2)
    torch.testing.assert_close(
        grid[1, :, 2, 1, 0], tokens.ln_post(patch_tokens[1, 2, 2])
    )


@pytest.mark.parametrize('communication', ['message', 'none', 'joint'])
def test_a_video_alone_equals_itself_in_a_batch(communication):
    model = XCLIPViT(ARCH, communication=communication).eval()
    x = videos(n=3)
    together = model(x)
    for i in range(3):
        for whole, alone in zip(together, model(x[i : i + 1]), strict=True):
            torch.testing.assert_close(whole[i : i + 1], alone)


def test_who_sees_whom():
    x = videos()
    changed = x.clone()
    changed[0, :, 3] = torch.randn(3, 32, 32)
    for communication, sees_others in [
        ('message', True),
        ('none', False),
        ('joint', True),
    ]:
        model = XCLIPViT(ARCH, communication=communication).eval()
        before, after = model(x)[0], model(changed)[0]
        assert (not torch.equal(before[0, 0], after[0, 0])) == sees_others
        assert torch.equal(before[1], after[1])


def test_order_of_frames_only_permutes_their_embeddings():
    model = XCLIPViT(ARCH).eval()
    x = videos()
    order = [2, 0, 3, 1]
    torch.testing.assert_close(model(x[:, :, order])[0], model(x)[0][:, order])


def test_checkpointing_changes_no_value_and_no_gradient():
    plain, saving = XCLIPViT(ARCH), XCLIPViT(ARCH, with_cp=True)
    saving.load_state_dict(plain.state_dict())
    x = videos()
    for model in (plain, saving):
        frame_embeds, patch_tokens = model(x)
        (frame_embeds.square().mean() + patch_tokens.square().mean()).backward()
    for ours, theirs in zip(saving.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize(('with_cp', 'runs'), [(False, 1), (True, 2)])
def test_checkpointing_computes_each_block_again(with_cp, runs):
    model, calls = XCLIPViT(ARCH, with_cp=with_cp), []
    for block in model.resblocks:
        block.register_forward_pre_hook(lambda *_: calls.append(1))
    model(videos())[0].sum().backward()
    assert len(calls) == runs * len(model.resblocks)


def test_dropping_of_branches_rises_to_the_last_block():
    model = XCLIPViT(dict(ARCH, depth=3), drop_path_rate=0.2).train()
    rates = [getattr(block.drop_path, 'drop_prob', 0) for block in model.resblocks]
    assert rates == pytest.approx([0, 0.1, 0.2])
    x = videos(n=8)
    assert not torch.equal(model(x)[0], model(x)[0])
    model.eval()
    assert torch.equal(model(x)[0], model(x)[0])


@pytest.mark.parametrize('frozen', [False, 'pretrained', True])
def test_frozen_parts(frozen):
    model = XCLIPViT(ARCH, frozen=frozen).train()
    for name, parameter in model.named_parameters():
        learns = 'message_' in name if frozen == 'pretrained' else not frozen
        assert parameter.requires_grad == learns, name
    assert model.training is (frozen is not True)


@pytest.mark.parametrize(
    ('name', 'parameters'),
    # OpenAI's vision towers have 87.8, 86.2, 304.0 and 304.3 million; the rest are
    # message parameters: depth * (5 D^2 + 7 D)
    [
        ('b/32', 87.8),
        ('b/16', 86.2),
        ('l/14', 304.0),
        ('l/14@336', 304.3),
        # open_clip, docs/model_profile.csv
        ('b/16-plus@240', 117.21),
        ('h/14', 632.08),
        ('g/14', 1012.65),
        ('bigg/14', 1844.91),
    ],
)
def test_arch_zoo_has_clips_sizes(name, parameters):
    with torch.device('meta'):
        model = XCLIPViT(name)
    count = {True: 0, False: 0}
    for key, parameter in model.named_parameters():
        count['message_' in key] += parameter.numel()
    assert count[False] / 1e6 == pytest.approx(parameters, abs=0.06)
    dims, depth = model.conv1.out_channels, len(model.resblocks)
    assert count[True] == depth * (5 * dims**2 + 7 * dims)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(arch='b/8'), 'b/16'),
        (dict(arch=dict(ARCH, extra=1)), 'unknown'),
        (dict(arch=dict(ARCH, num_heads=5)), 'multiple of num_heads'),
        (dict(arch=16), 'must be one of'),
        (dict(arch=dict(ARCH, img_size='32')), 'arch.img_size must be an integer'),
        (dict(arch=dict(ARCH, depth=0)), 'arch.depth must be an integer from 1'),
        (dict(arch=ARCH, img_size=0), 'img_size must be an integer from 1'),
        (dict(arch=ARCH, frozen=1), 'pretrained'),
        (dict(arch=ARCH, img_size=40), 'multiple of patch_size'),
        (dict(arch=ARCH, out_type='raw'), 'featmap'),
        (dict(arch=ARCH, communication='mean'), 'joint'),
        (dict(arch=ARCH, frozen='clip'), 'pretrained'),
        (dict(arch=ARCH, drop_path_rate=-0.1), r'drop_prob must lie in \[0, 1\)'),
        (dict(arch=ARCH, drop_path_rate=1), r'drop_prob must lie in \[0, 1\)'),
    ],
)
def test_bad_arguments_say_what_is_allowed(kwargs, message):
    with pytest.raises(ValueError, match=message):
        XCLIPViT(**kwargs)


def test_capitals_in_the_name_of_an_arch_do_not_matter():
    with torch.device('meta'):
        assert XCLIPViT('L/14').conv1.kernel_size == (14, 14)


def test_the_arch_of_the_caller_is_not_edited():
    arch = dict(ARCH)
    XCLIPViT(arch, img_size=64)
    assert arch == ARCH


@pytest.mark.parametrize(
    ('x', 'message'),
    [
        (torch.randn(2, 3, 4, 48, 32), 'got 32x48'),
        (torch.randn(2, 4, 3, 32, 32), 'NCTHW'),
        (torch.randn(2, 3, 32, 32), 'NCTHW'),
        (torch.randn(2, 3, 0, 32, 32), 'NCTHW'),
    ],
)
def test_bad_videos_say_what_is_wrong(x, message):
    with pytest.raises(ValueError, match=message):
        XCLIPViT(ARCH)(x)


class LoudBlock(CrossFrameAttentionBlock):
    fresh_parameters = ('volume',)

    def __init__(self, embed_dims, num_heads, *, volume, **kwargs):
        super().__init__(embed_dims, num_heads, **kwargs)
        self.volume = nn.Parameter(torch.tensor(volume))

    def forward(self, x):
        return self.volume * super().forward(x)


def test_blocks_of_a_users_own():
    plain = XCLIPViT(ARCH).eval()
    block = dict(type=LoudBlock, volume=1.0)
    loud = XCLIPViT(ARCH, communication=block, frozen='pretrained').eval()
    assert block == dict(type=LoudBlock, volume=1.0)
    loud.load_state_dict({**loud.state_dict(), **plain.state_dict()})
    x = videos()
    for one, other in zip(plain(x), loud(x), strict=True):
        torch.testing.assert_close(one, other)
    nn.init.constant_(loud.resblocks[0].volume, 2.0)
    assert not torch.allclose(plain(x)[0], loud(x)[0])
    learn = {n.split('.')[2] for n, p in loud.named_parameters() if p.requires_grad}
    assert {'volume', 'message_fc'} <= learn
    assert not learn & {'attn', 'mlp', 'ln_1'}


@pytest.mark.parametrize(
    'block', [CrossFrameAttentionBlock, SingleFrameAttentionBlock, JointAttentionBlock]
)
def test_every_block_maps_the_tokens_of_all_frames(block):
    x = torch.randn(2, 3, 5, 32)
    assert block(32, 2)(x).shape == x.shape
