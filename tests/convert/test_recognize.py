"""Every kind of checkpoint is known by its names, and strangers are described."""

import pytest
import torch

from mmxclip.convert import (
    ConversionError,
    Geometry,
    Heads,
    Opened,
    from_mmxclip,
    measure,
    recognize,
    to_mmxclip,
)

SIZES = dict(
    text_depth=12, context_length=77, vocab_size=49408, mit_depth=1, prompt_depth=2
)
BASE = dict(embed_dims=768, depth=12, out_dims=512, text_dims=512, **SIZES)
LARGE = dict(embed_dims=1024, depth=24, out_dims=768, text_dims=768, **SIZES)


def on_meta(geometry):
    """Weights of a full-size model that take no memory."""
    return {n: torch.empty(s, device='meta') for n, s in geometry.shapes().items()}


@pytest.mark.parametrize(
    ('kind', 'layout'),
    [
        ('official X-CLIP', 'official'),
        ('Hugging Face X-CLIP', 'huggingface'),
        ('OpenAI CLIP', 'openai-clip'),
    ],
)
def test_kinds_of_clip(weights, kind, layout):
    foreign, _ = from_mmxclip(weights, layout)
    assert recognize(Opened(foreign, 'test')).kind == kind


def test_other_kinds(weights, timm, mmpretrain):
    for state_dict, kind in (
        (weights, 'mmxclip'),
        (timm, 'timm ViT'),
        (mmpretrain, 'MMPretrain ViT'),
    ):
        assert recognize(Opened(state_dict, 'test')).kind == kind


@pytest.mark.parametrize('prefix', ['backbone.', 'neck.', 'cls_head.'])
def test_ours_is_known_by_any_of_its_parts(weights, prefix):
    part = {name: t for name, t in weights.items() if name.startswith(prefix)}
    assert recognize(Opened(part, 'test')).kind == 'mmxclip'


def test_uniformerv2_is_not_ours(weights):
    """It has CLIP's names in its backbone too, its blocks one level deeper."""
    names = [n.replace('.resblocks.', '.transformer.resblocks.') for n in weights]
    state = {n: torch.ones(1) for n in names if n.startswith('backbone.')}
    assert {'backbone.class_embedding', 'backbone.ln_pre.weight'} <= state.keys()
    with pytest.raises(ConversionError, match='belong to no model that is known'):
        recognize(Opened(state, 'test'))


@pytest.mark.parametrize(
    ('config', 'heads'),
    [
        (
            "model = dict(\n    backbone=dict(arch=dict(num_heads=4), type='XCLIPViT'),"
            '\n    cls_head=dict(\n        prompt=dict(num_heads=2),\n        '
            "text_encoder={'arch': {'num_heads': 8}}),\n    neck=dict(num_heads=3))",
            Heads(vision=4, text=8, mit=3, prompt=2),
        ),
        ("model = dict(backbone=dict(arch='b/16'), neck=None)", Heads()),
        ('model = dict(neck=dict(num_heads=print(1)))', Heads()),
        ('raise SystemExit', Heads()),
        ('no config', Heads()),
        ('', Heads()),
        (None, Heads()),
    ],
)
def test_heads_are_read_from_the_stored_config(weights, config, heads, capsys):
    content = dict(state_dict=weights, meta=dict(cfg=config))
    assert recognize(Opened(content, 'test')).heads == heads
    assert not capsys.readouterr().out, 'nothing in it is executed'


@pytest.mark.parametrize(
    'wrap',
    [
        lambda s: {'model': s, 'epoch': 1},
        lambda s: {'state_dict': s},
        lambda s: {'module.' + name: tensor for name, tensor in s.items()},
        lambda s: {'state_dict': {'module._orig_mod.' + n: t for n, t in s.items()}},
        lambda s: {'state_dict': {'_orig_mod.module.' + n: t for n, t in s.items()}},
    ],
)
def test_wrapped_state_dicts(official, wrap):
    source = recognize(Opened(wrap(official), 'test'))
    assert source.state_dict.keys() == official.keys()


@pytest.mark.parametrize(
    ('sizes', 'arch', 'words'),
    [
        (
            Geometry(patch_size=32, img_size=224, num_frames=8, **BASE),
            'b/32',
            'ViT-B/32 at 224 pixels, 8 frames, 1 MIT layer, 2 prompt layers',
        ),
        (
            Geometry(patch_size=16, img_size=224, num_frames=32, **BASE),
            'b/16',
            'ViT-B/16 at 224 pixels, 32 frames, 1 MIT layer, 2 prompt layers',
        ),
        (
            Geometry(patch_size=14, img_size=336, num_frames=16, **LARGE),
            'l/14@336',
            'ViT-L/14 at 336 pixels, 16 frames, 1 MIT layer, 2 prompt layers',
        ),
        (
            Geometry(patch_size=14, img_size=448, num_frames=16, **LARGE),
            'l/14',
            'ViT-L/14 at 448 pixels, 16 frames, 1 MIT layer, 2 prompt layers',
        ),
    ],
)
def test_sizes_are_read_from_the_tensors(sizes, arch, words):
    got = measure(on_meta(sizes))
    assert got == sizes
    assert got.arch == arch
    assert got.describe() == words


def test_sizes_of_a_clip_without_mit():
    sizes = Geometry(patch_size=14, img_size=224, num_frames=8, **LARGE)
    clip = {
        name: tensor
        for name, tensor in on_meta(sizes).items()
        if 'message_' not in name and not name.startswith(('neck.', 'cls_head.prompt.'))
    }
    assert measure(clip).num_frames is None
    assert measure(clip).describe() == 'ViT-L/14 at 224 pixels'


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('visual.layer1.0.conv1.weight', 'CLIP with a ResNet'),
        ('text.transformer.resblocks.0.ln_1.weight', 'custom text tower'),
        ('vision_model.embeddings.class_embedding', 'Hugging Face CLIP without'),
        ('backbone.conv1.weight', r'belong to no model that is known \(backbone.conv1'),
    ],
)
def test_strangers_are_described(name, words):
    with pytest.raises(ConversionError, match=words):
        recognize(Opened({name: torch.ones(1)}, 'test'))


def test_empty_checkpoint():
    with pytest.raises(ConversionError, match='no tensors at all'):
        recognize(Opened({'epoch': 3}, 'test'))


def test_other_heads_in_a_huggingface_config_are_noted(weights):
    hf, _ = from_mmxclip(weights, 'huggingface')
    config = {
        'prompt_num_attention_heads': 8,
        'text_config': {'hidden_act': 'gelu'},
        'vision_config': {'num_attention_heads': 1, 'mit_num_attention_heads': 2},
    }
    _, report = to_mmxclip(recognize(Opened(hf, 'test', config)))
    assert report.notes == [
        'config.json says prompt_num_attention_heads=8; the official model, and ours, '
        'have 2: expect other scores',
        "config.json says text_config.hidden_act='gelu'; the official model, and ours, "
        "have 'quick_gelu': expect other scores",
    ]
