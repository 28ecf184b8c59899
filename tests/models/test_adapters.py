"""Adapters: as if they were not there at the start, and all that learns afterwards."""

import copy
import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper

from mmxclip.layers import CrossFrameAttentionBlock
from mmxclip.models import CLIPTextEncoder, TokenMergingXCLIPViT, XCLIPViT
from mmxclip.models.adapters import merge_adapters

VISION = dict(
    img_size=32, patch_size=16, embed_dims=32, depth=3, num_heads=2, out_dims=16
)
TEXT = dict(
    embed_dims=32,
    depth=3,
    num_heads=2,
    out_dims=16,
    context_length=20,
    vocab_size=100,
)
IN_VISION_ONLY = {
    'ST-Adapter': [dict(type='STAdapter', hidden_dims=4, kernel_size=(3, 3, 3))],
    'AIM': [
        dict(type='TemporalAdapter', hidden_dims=4),
        dict(type='BottleneckAdapter', hidden_dims=4),
        dict(type='BottleneckAdapter', hidden_dims=4, place='mlp', scale=0.5),
    ],
    'low-rank messages': [dict(type='LowRankMessages', message_dims=4)],
}
ANYWHERE = {
    'LoRA': [dict(type='LoRA', rank=2, parts='qkv')],
    'LoRA of v': [dict(type='LoRA', rank=2, parts='v')],
    'bottleneck': [dict(type='BottleneckAdapter', hidden_dims=4)],
    'prompts': [dict(type='PromptTokens', num_tokens=3)],
    'shallow prompts': [dict(type='PromptTokens', num_tokens=3, depth=1)],
}
EVERY = {**ANYWHERE, **IN_VISION_ONLY}


def each(methods):
    return pytest.mark.parametrize('adapters', methods.values(), ids=methods)


def embed(tower, x):
    with torch.no_grad():
        out = tower.eval()(x)
    return out[0] if isinstance(out, tuple) else out


def videos(count=2):
    return torch.randn(count, 3, 4, 32, 32)


def texts():
    return torch.randint(1, 99, (3, 7))


def with_adapters(make, arch, adapters, **kwargs):
    """Return a tower, and one of the same weights with adapters."""
    plain = make(arch, **kwargs)
    adapted = make(arch, adapters=adapters, **kwargs)
    adapted.load_state_dict({**adapted.state_dict(), **plain.state_dict()})
    return plain, adapted


def learn(tower):
    """Let all that learns say something."""
    for parameter in tower.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    return tower


@pytest.mark.parametrize('communication', ['message', 'none', 'joint'])
@each(EVERY)
def test_at_the_start_vision_is_as_without(adapters, communication):
    plain, adapted = with_adapters(
        XCLIPViT, VISION, adapters, communication=communication, frozen=True
    )
    x = videos()
    assert torch.equal(embed(plain, x), embed(adapted, x))
    assert not torch.allclose(embed(plain, x), embed(learn(adapted), x))


@each(ANYWHERE)
def test_at_the_start_language_is_as_without(adapters):
    plain, adapted = with_adapters(CLIPTextEncoder, TEXT, adapters)
    x = texts()
    assert torch.equal(embed(plain, x), embed(adapted, x))
    assert not torch.allclose(embed(plain, x), embed(learn(adapted), x))


@each(EVERY)
def test_adapters_alone_learn_in_a_frozen_tower(adapters):
    tower = learn(XCLIPViT(VISION, frozen=True, adapters=adapters).train())
    tower(videos())[0].square().sum().backward()
    gradients = {n for n, p in tower.named_parameters() if p.grad is not None}
    assert gradients == {n for n, _ in tower.named_parameters() if 'adapters.' in n}
    assert all(p.grad.any() for p in tower.parameters() if p.grad is not None)
    clip = XCLIPViT(VISION, frozen='pretrained', adapters=adapters)
    trained = {n for n, p in clip.named_parameters() if p.requires_grad}
    assert trained == {
        n for n, _ in clip.named_parameters() if 'adapters.' in n or 'message_' in n
    }


@each(EVERY)
def test_videos_of_a_batch_do_not_see_each_other(adapters):
    tower = learn(XCLIPViT(VISION, communication='none', adapters=adapters))
    x = videos(3)
    torch.testing.assert_close(embed(tower, x)[1:2], embed(tower, x[1:2]))


@each(IN_VISION_ONLY)
def test_frames_hear_of_each_other(adapters):
    tower = XCLIPViT(VISION, communication='none', frozen=True, adapters=adapters)
    x = videos(1)
    other = x.clone()
    other[:, :, 1] = videos(1)[:, :, 1]
    assert torch.equal(embed(tower, x)[:, 0], embed(tower, other)[:, 0])
    learn(tower)
    assert not torch.allclose(embed(tower, x)[:, 0], embed(tower, other)[:, 0])


def test_the_prompts_of_language_are_read_by_every_word():
    tower = CLIPTextEncoder(TEXT, adapters=EVERY['prompts'])
    x = texts()
    ends = torch.zeros(len(x), dtype=torch.long)  # the first word sees itself only
    words = tower.token_embedding(x).detach()
    with torch.no_grad():
        before = tower.encode(words, ends)
        assert not torch.allclose(before, learn(tower).encode(words, ends))


@each(EVERY)
def test_recomputed_activations_change_nothing(adapters):
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        tower = learn(
            XCLIPViT(VISION, frozen=True, adapters=adapters, with_cp=with_cp).train()
        )
        tower(videos())[0].square().sum().backward()
        gradients.append([p.grad for p in tower.parameters() if p.grad is not None])
    torch.testing.assert_close(*gradients)


def test_a_frozen_text_tower_learns_by_its_adapters(tiny_model):
    tiny_model['cls_head']['text_encoder']['adapters'] = EVERY['LoRA']
    tiny_model['backbone']['frozen'] = True
    model = MODELS.build(tiny_model).train()
    logits = model(videos().unsqueeze(1), mode='tensor', stage='head')
    logits.square().sum().backward()
    tower = model.cls_head.text_encoder
    gradients = {n for n, p in tower.named_parameters() if p.grad is not None}
    assert gradients == {n for n, _ in tower.named_parameters() if 'adapters.' in n}


def test_adapters_learn_with_the_higher_rate(tiny_model):
    tiny_model['backbone'].update(adapters=EVERY['AIM'])
    model = MODELS.build(tiny_model)
    wrapper = dict(
        constructor='GroupedOptimWrapperConstructor',
        optimizer=dict(type='AdamW', lr=1.0),
        paramwise_cfg=dict(fresh_lr_mult=10),
    )
    groups = build_optim_wrapper(model, wrapper).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    for name, parameter in model.backbone.named_parameters():
        fresh = 'adapters.' in name or 'message_' in name
        assert rates[id(parameter)] == (10 if fresh else 1), name


@pytest.mark.parametrize('parts', ['q', 'qv', 'qkv'])
def test_lora_becomes_weights(parts):
    lora = dict(type='LoRA', rank=2, parts=parts)
    tower = learn(XCLIPViT(VISION, adapters=[lora, lora, *EVERY['bottleneck']]))
    x = videos()
    before = embed(tower, x)
    assert not torch.allclose(before, embed(copy.deepcopy(tower), videos()))
    merge_adapters(tower)
    torch.testing.assert_close(embed(tower, x), before, atol=1e-4, rtol=1e-4)
    left = {n.split('.')[4] for n, _ in tower.named_parameters() if 'adapters.' in n}
    assert left == {'down', 'up'}  # the bottlenecks


@pytest.mark.parametrize(
    ('make', 'adapters', 'message'),
    [
        (lambda a: XCLIPViT(VISION, adapters=a), dict(type='MIT'), 'Adapter'),
        (
            lambda a: CLIPTextEncoder(TEXT, adapters=a),
            dict(type='STAdapter'),
            r"'before', which ResidualAttentionBlock lacks.*'after_attn'",
        ),
        (
            lambda a: TokenMergingXCLIPViT(VISION, adapters=a),
            dict(type='LowRankMessages'),
            'TokenMergingBlock lacks',
        ),
        (lambda a: XCLIPViT(VISION, adapters=a), dict(type='LoRA', parts='vq'), 'vq'),
        (lambda a: XCLIPViT(VISION, adapters=a), dict(type='LoRA', rank=0), 'rank'),
        (
            lambda a: XCLIPViT(VISION, adapters=a),
            dict(type='STAdapter', kernel_size=(2, 1, 1)),
            'odd',
        ),
    ],
)
def test_what_does_not_fit_is_named(make, adapters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make([adapters])


def test_the_page_counts_what_learns(root):
    page = (root / 'docs/howto/few_parameters.md').read_text()
    counts = dict(re.findall(r'^\| `(\w+)` \|.* (\S+) M \|$', page, re.MULTILINE))
    assert len(counts) == 6
    for kind, millions in counts.items():
        with torch.device('meta'):
            tower = XCLIPViT('b/16', frozen=True, adapters=[dict(type=kind)])
        learned = sum(p.numel() for p in tower.parameters() if p.requires_grad)
        assert f'{learned / 1e6:.2f}' == millions, kind


def test_the_config_of_the_caller_is_not_edited():
    adapters = [dict(type='PromptTokens', depth=1)]
    XCLIPViT(VISION, adapters=adapters)
    assert adapters == [dict(type='PromptTokens', depth=1)]


def test_where_a_model_attends_tells_of_adapters():
    block = CrossFrameAttentionBlock(32, 2)
    tower = learn(XCLIPViT(VISION, frozen=True, adapters=EVERY['LoRA']))
    adapted = tower.resblocks[0].attn
    block.attn.load_state_dict(adapted.state_dict(), strict=False)
    x = torch.randn(2, 5, 32)
    assert not torch.allclose(adapted.weights(x), block.attn.weights(x))
