"""What modules declare: what may be absent, is resized, stays trainable, learns fast.

Weights that do not fit are refused by the part that they do not fit, whoever loads.
"""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner.checkpoint import load_state_dict

from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import export
from mmxclip.layers import resize_spatial_pos_embed, resize_temporal_pos_embed

LOADERS = [load_state_dict, torch.nn.Module.load_state_dict]


def build(config, **changes):
    config = copy.deepcopy(config)
    for path, value in changes.items():
        node = config
        *parents, leaf = path.split('__')
        for name in parents:
            node = node[name]
        node[leaf] = value
    return MODELS.build(config)


def identical(model, weights):
    state = model.state_dict()
    return all(torch.equal(state[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize('load', LOADERS)
def test_equal_shapes_stay_bit_identical(tiny_model, weights, load):
    model = build(tiny_model)
    load(model, weights)
    assert identical(model, weights)
    assert identical(copy.deepcopy(model), weights)


@pytest.mark.parametrize('load', LOADERS)
def test_positions_are_interpolated(tiny_model, weights, load):
    model = build(tiny_model, backbone__img_size=48, neck__num_frames=16)
    load(model, weights)
    name = 'backbone.positional_embedding'
    assert torch.equal(
        model.state_dict()[name], resize_spatial_pos_embed(weights[name], 3)
    )
    assert torch.equal(
        model.state_dict()['neck.positional_embedding'],
        resize_temporal_pos_embed(weights['neck.positional_embedding'], 16),
    )
    assert weights[name].shape == (5, 32), 'the checkpoint itself is not changed'


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(neck__depth=3),
            r'1 layers in neck.resblocks, the model 3.*: model.neck.depth = 1$',
        ),
        (
            dict(cls_head__prompt__depth=1),
            r'2 layers in cls_head.prompt.decoder.*model.cls_head.prompt.depth = 2$',
        ),
        (
            dict(backbone__arch__depth=3),
            r'2 layers in backbone.resblocks, the model 3.*model.backbone.arch = ',
        ),
        (
            dict(cls_head__text_encoder__arch__depth=1),
            r'cls_head.text_encoder.resblocks.*model.cls_head.text_encoder.arch = ',
        ),
        (
            dict(backbone__arch__patch_size=8),
            r'backbone.conv1.weight is \(32, 3, 16, 16\).* embed_dims of XCLIPViT',
        ),
        (
            dict(cls_head__text_encoder__arch__context_length=20),
            r'text_encoder.positional_embedding is \(77, 16\)',
        ),
    ],
)
@pytest.mark.parametrize('load', LOADERS)
def test_another_model_is_refused(tiny_model, weights, changes, message, load):
    model = build(tiny_model, **changes)
    with pytest.raises(CheckpointError, match=message):
        load(model, weights)


@pytest.mark.parametrize('initialised', [False, True])
@pytest.mark.parametrize(
    'gone',
    [
        'neck.resblocks.0.ln_1.bias',
        'cls_head.prompt.alpha',
        'cls_head.text_encoder.ln_final.weight',
        'cls_head.logit_scale',
        'backbone.class_embedding',
        'backbone.resblocks.1.message_fc.bias',
    ],
)
def test_incomplete_part_is_refused(tiny_model, weights, gone, initialised):
    del weights[gone]
    model = build(tiny_model)
    if initialised and 'logit_scale' not in gone:  # all that the head has beside parts
        model.init_weights()
    with pytest.raises(CheckpointError, match=f' 1 .*{gone}'):
        load_state_dict(model, weights)


@pytest.mark.parametrize('layout', ['openai-clip', 'official', 'huggingface'])
def test_a_backbone_alone_takes_no_foreign_names(tiny_model, weights, layout):
    """CLIP's text tower has a name that the vision tower has, too."""
    foreign, _ = export(weights, layout)
    with pytest.raises(CheckpointError, match='under its own names'):
        build(tiny_model).backbone.load_state_dict(foreign, strict=False)


@pytest.mark.parametrize(
    ('part', 'layers'),
    [
        ('cls_head.prompt.', 'decoder'),
        ('neck.', 'resblocks'),
        ('cls_head.text_encoder.', 'resblocks'),
        ('backbone.', 'resblocks'),
    ],
)
def test_a_part_without_any_layer_is_incomplete(tiny_model, weights, part, layers):
    """And no reason to set the model's own depth to 0."""
    rest = {n: t for n, t in weights.items() if not n.startswith(part + layers)}
    with pytest.raises(CheckpointError, match=rf'layer {part}{layers}$'):
        load_state_dict(build(tiny_model), rest)


def test_a_neck_without_layers_is_loaded(tiny_model):
    weights = build(tiny_model, neck__depth=0).state_dict()
    model = build(tiny_model, neck__depth=0)
    load_state_dict(model, weights)
    assert identical(model, weights)


def clip_part(weights):
    return {
        name: tensor
        for name, tensor in weights.items()
        if 'message_' not in name and not name.startswith(('neck', 'cls_head.prompt'))
    }


def test_what_no_clip_brings_keeps_its_initialisation(tiny_model, weights):
    model = build(tiny_model)
    model.init_weights()  # as a training does first
    before = copy.deepcopy(model.state_dict())
    clip = clip_part(weights)
    load_state_dict(model, clip)
    assert identical(model, clip | {n: before[n] for n in before.keys() - clip.keys()})


def test_what_no_clip_brings_is_missed_without_initialisation(tiny_model, weights):
    for lacking, count in (
        ({n: t for n, t in weights.items() if 'message_' not in n}, 16),
        ({n: t for n, t in weights.items() if not n.startswith('neck')}, 13),
        (clip_part(weights), 16),
    ):
        with pytest.raises(CheckpointError, match=f'lacks {count} parameters'):
            load_state_dict(build(tiny_model), lacking)


def test_positions_of_another_rank_are_refused(tiny_model, weights):
    name = 'backbone.positional_embedding'
    weights[name] = weights[name].unsqueeze(0)  # as other vision transformers have it
    with pytest.raises(CheckpointError, match=r'\(1, 5, 32\)'):
        load_state_dict(build(tiny_model), weights)


def test_a_grid_that_is_no_square_is_refused(tiny_model, weights):
    name = 'backbone.positional_embedding'
    weights[name] = torch.cat([weights[name], weights[name][:2]])
    with pytest.raises(CheckpointError, match=f'{name}: .*square'):
        load_state_dict(build(tiny_model), weights)


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        (float('nan'), 'NaN'),
        (float('inf'), 'infinity'),
        (1e30, 'beyond 1e'),
        (torch.int32, 'holds int32'),
    ],
)
def test_numbers_that_are_no_weights_are_refused(tiny_model, weights, value, said):
    name = 'neck.resblocks.0.mlp.c_fc.weight'
    if isinstance(value, torch.dtype):
        weights[name] = weights[name].to(value)
    else:
        weights[name][0, 0] = value
    with pytest.raises(CheckpointError, match=f'{name} .*{said}'):
        load_state_dict(build(tiny_model), weights)
