"""Weights that cannot serve as they were given are refused, with what to do."""

import logging

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, Runner
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader

from mmxclip.convert import ConversionError, from_mmxclip, write_foreign
from mmxclip.engine.weights import fit_checkpoint, load_from_local

pytestmark = pytest.mark.usefixtures('_quiet')


@pytest.fixture
def _quiet():
    yield
    logging.shutdown()


@pytest.mark.parametrize('layout', ['official', 'huggingface', 'openai-clip', 'ours'])
def test_weights_alone_are_not_resumed(tmp_path, tiny_model, weights, layout):
    path = tmp_path / 'weights'
    if layout == 'ours':
        torch.save(dict(state_dict=weights, meta=dict(cfg='')), path)
    else:
        write_foreign(path, weights, layout)
    runner = Runner(
        model=Config(dict(model=tiny_model)).model,
        work_dir=str(tmp_path / 'work'),
        load_from=str(path),
        resume=True,
        default_hooks=dict(convert=dict(type='ConvertCheckpointHook')),
        experiment_name=f'{tmp_path.name}-{layout}',
        default_scope='mmaction',
    )
    with pytest.raises(ConversionError, match=r'not resume\. Leave out --resume'):
        runner.load_or_resume()
    runner._has_loaded = True  # as behind the resumption: what comes then is free
    runner._train_loop = EpochBasedTrainLoop(runner, DataLoader([0]), max_epochs=1)
    runner.load_checkpoint(str(path))


@pytest.mark.parametrize('form', ['PyTorch', 'safetensors'])
def test_a_clip_of_any_form_is_refused_by_init_recognizer(
    tmp_path, tiny_model, weights, form
):
    clip, _ = from_mmxclip(weights, 'openai-clip')
    if form == 'PyTorch':
        torch.save(clip, tmp_path / 'clip')
    else:
        save_file({n: t.contiguous() for n, t in clip.items()}, tmp_path / 'clip')
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    with pytest.raises(ConversionError, match='this is a checkpoint of OpenAI CLIP'):
        init_recognizer(config, str(tmp_path / 'clip'), device='cpu')


@pytest.mark.parametrize(
    ('kind', 'names'),
    [
        (
            'OpenAI CLIP',
            ('visual.class_embedding', 'ln_final.weight', 'positional_embedding'),
        ),
        (
            'timm ViT',
            ('cls_token', 'patch_embed.proj.weight', 'blocks.0.attn.qkv.weight'),
        ),
        (
            'MMPretrain ViT',
            ('backbone.cls_token', 'backbone.patch_embed.projection.weight'),
        ),
    ],
)
def test_init_recognizer_refuses_what_it_cannot_load(tmp_path, tiny_model, kind, names):
    torch.save({name: torch.ones(1) for name in names}, tmp_path / 'x.pth')
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    with pytest.raises(
        ConversionError, match=rf'of {kind}, .*random.*convert_checkpoint'
    ):
        init_recognizer(config, str(tmp_path / 'x.pth'), device='cpu')


def test_uniformerv2_keeps_its_own_checkpoint(tmp_path, tiny_model):
    """Its backbone has CLIP's names too, and is not to be converted."""
    backbone = dict(
        type='UniFormerV2',
        input_resolution=32,
        patch_size=16,
        width=32,
        layers=2,
        heads=2,
        t_size=4,
        n_layers=1,
        n_dim=32,
        n_head=2,
        return_list=[1],
        mlp_dropout=[0.5],
        clip_pretrained=False,
    )
    head = dict(type='TimeSformerHead', num_classes=2, in_channels=32)
    changes = dict(backbone=backbone, neck=None, cls_head=head)
    model = MODELS.build({**tiny_model, **changes})
    want = model.state_dict()
    assert {'backbone.class_embedding', 'backbone.ln_pre.weight'} <= want.keys()
    torch.save(dict(state_dict=want, meta=dict(epoch=3)), tmp_path / 'uniformer.pth')
    checkpoint = load_from_local(str(tmp_path / 'uniformer.pth'))
    fit_checkpoint(model, checkpoint, complete=True)
    assert checkpoint['meta'] == dict(epoch=3)
    assert checkpoint['state_dict'].keys() == want.keys()


def test_parameters_of_another_shape_get_no_score():
    checkpoint = dict(state_dict=nn.Linear(2, 4).state_dict())
    fit_checkpoint(nn.Linear(2, 4), checkpoint, complete=True)
    with pytest.raises(
        ConversionError, match=r'lacks 2 .* another shape, first weight'
    ):
        fit_checkpoint(nn.Linear(2, 3), checkpoint, complete=True)
