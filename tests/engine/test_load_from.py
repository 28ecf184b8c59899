"""`load_from` of the stock Runner takes every published kind of checkpoint."""

import copy
import logging

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from safetensors.torch import save_file
from torch.utils.data import DataLoader

from mmxclip.convert import ConversionError, from_mmxclip, write_foreign

pytestmark = pytest.mark.usefixtures('_quiet')


@pytest.fixture
def _quiet():
    yield
    logging.shutdown()


@pytest.fixture
def run(tmp_path, tiny_model, request):
    """Load a checkpoint as training does; returns the model and the log."""

    def load(path, **changes):
        runner = Runner(
            model=Config(dict(model={**copy.deepcopy(tiny_model), **changes})).model,
            work_dir=str(tmp_path / 'work'),
            load_from=str(path),
            default_hooks=dict(convert=dict(type='ConvertCheckpointHook')),
            experiment_name=f'{request.node.name}-{path.name}',
            default_scope='mmaction',
        )
        runner.load_or_resume()
        log = next((tmp_path / 'work').rglob('*.log'))
        return runner.model, log.read_text()

    return load


def same(state, weights):
    return all(torch.equal(state[name], tensor) for name, tensor in weights.items())


def clip_part(weights):
    return {
        name: tensor
        for name, tensor in weights.items()
        if 'message_' not in name and not name.startswith(('neck', 'cls_head.prompt'))
    }


WRAPPERS = {
    'ours': lambda weights: {'state_dict': weights, 'meta': {}},
    'of a script': lambda weights: {'model': weights, 'epoch': 3},
    'compiled': lambda weights: {f'_orig_mod.{n}': t for n, t in weights.items()},
}
FORMS = [*WRAPPERS, 'official', 'folder', 'safetensors', 'bin']


@pytest.mark.parametrize('form', FORMS)
def test_complete_checkpoints(tmp_path, run, weights, form):
    path = tmp_path / 'weights.pth'
    if form in WRAPPERS:
        torch.save(WRAPPERS[form](weights), path)
    elif form == 'official':
        write_foreign(path, weights, 'official')
    else:
        hf, _ = from_mmxclip(weights, 'huggingface')
        path = tmp_path / f'model.{form}'
        if form == 'folder':
            path = tmp_path / 'folder'
            write_foreign(path, weights, 'huggingface')
        elif form == 'bin':
            torch.save(hf, path)
        else:
            save_file({n: t.contiguous() for n, t in hf.items()}, path)
    model, log = run(path)
    assert same(model.state_dict(), weights)
    assert 'missing keys' not in log
    assert 'unexpected key' not in log
    assert ('-> mmxclip' in log) == (form not in WRAPPERS)


@pytest.mark.parametrize('form', ['PyTorch', 'safetensors'])
def test_clip_with_a_report(tmp_path, run, weights, form):
    path = tmp_path / 'clip.pth'
    write_foreign(path, weights, 'openai-clip')
    if form == 'safetensors':
        save_file(torch.load(path), path)
    model, log = run(path)
    assert same(model.state_dict(), clip_part(weights))
    assert 'OpenAI CLIP -> mmxclip' in log
    assert 'backbone message tokens (16), neck (13), cls_head.prompt (32)' in log


def test_imagenet_vit(tmp_path, run, weights):
    blocks = {
        'ln_1': 'norm1',
        'attn.in_proj_': 'attn.qkv.',
        'attn.out_proj': 'attn.proj',
        'ln_2': 'norm2',
        'mlp.c_fc': 'mlp.fc1',
        'mlp.c_proj': 'mlp.fc2',
        'resblocks': 'blocks',
    }
    vit = {
        'cls_token': weights['backbone.class_embedding'][None, None],
        'pos_embed': weights['backbone.positional_embedding'][None],
        'patch_embed.proj.weight': weights['backbone.conv1.weight'],
        'patch_embed.proj.bias': torch.zeros(32),
        'norm.weight': torch.full((32,), 0.5),
        'norm.bias': torch.zeros(32),
    }
    for name, tensor in weights.items():
        if name.startswith('backbone.resblocks') and 'message' not in name:
            new = name.removeprefix('backbone.')
            for ours, theirs in blocks.items():
                new = new.replace(ours, theirs)
            vit[new] = tensor
    torch.save(vit, tmp_path / 'vit.pth')
    model, log = run(tmp_path / 'vit.pth')
    state = model.state_dict()
    name = 'backbone.resblocks.1.attn.in_proj_weight'
    assert torch.equal(state[name], weights[name])
    assert state['backbone.ln_post.weight'].eq(0.5).all()
    assert 'QuickGELU' in log


def test_other_geometry_is_said_with_both_shapes(tmp_path, run, tiny_model, weights):
    write_foreign(tmp_path / 'k400.pth', weights, 'official')
    model, log = run(
        tmp_path / 'k400.pth',
        backbone={**tiny_model['backbone'], 'img_size': 48},
        neck={**tiny_model['neck'], 'num_frames': 8},
    )
    assert (
        'backbone.positional_embedding is interpolated from (5, 32) to (10, 32)' in log
    )
    assert (
        'neck.positional_embedding is interpolated from (1, 4, 16) to (1, 8, 16)' in log
    )
    assert model.neck.positional_embedding.shape == (1, 8, 16)


def test_wrong_depth_names_the_config_line(tmp_path, run, tiny_model, weights):
    write_foreign(tmp_path / 'k400.pth', weights, 'official')
    with pytest.raises(ConversionError, match=r'model\.neck\.depth = 1$'):
        run(tmp_path / 'k400.pth', neck={**tiny_model['neck'], 'depth': 4})


def test_weights_of_another_model_are_refused(tmp_path, run):
    torch.save({'state_dict': {'backbone.conv1.weight': torch.ones(1)}}, tmp_path / 'x')
    with pytest.raises(ConversionError, match='belong to no model that is known'):
        run(tmp_path / 'x')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'<html>', 'is a web page'),
        (b'PK\x03\x04', 'is truncated'),
        (b'', 'is empty'),
        (b'experiment notes\n', 'is no checkpoint: it begins with'),
        (b'config = dict()', 'is no checkpoint: it begins with'),
    ],
)
def test_bad_file(tmp_path, run, content, message):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(ConversionError, match=message):
        run(tmp_path / 'x.pth')


@pytest.fixture
def score(tmp_path, tiny_model):
    """Test or validate a checkpoint, untrained; returns the metrics."""

    def score(path, loop='test', **changes):
        video = torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8)
        samples = [dict(inputs=video, data_samples=ActionDataSample().set_gt_label(0))]
        runner = Runner(
            model=Config(dict(model={**copy.deepcopy(tiny_model), **changes})).model,
            work_dir=str(tmp_path / 'work'),
            load_from=str(path),
            default_hooks=dict(convert=dict(type='ConvertCheckpointHook')),
            experiment_name=f'{tmp_path.name}-{path.name}-{loop}',
            default_scope='mmaction',
            **{
                f'{loop}_dataloader': DataLoader(samples, collate_fn=pseudo_collate),
                f'{loop}_cfg': dict(type=f'{loop.title()}Loop'),
                f'{loop}_evaluator': dict(type='AccMetric'),
            },
        )
        return getattr(runner, loop)()

    return score


@pytest.mark.parametrize('loop', ['test', 'val'])
def test_half_a_model_gets_no_score(tmp_path, score, weights, loop):
    write_foreign(tmp_path / 'clip.pth', weights, 'openai-clip')
    part = {n: t for n, t in weights.items() if n.startswith('backbone.')}
    torch.save(part, tmp_path / 'part.pth')
    for name, first in (('clip', 'backbone.resblocks.0.message_'), ('part', 'neck.')):
        with pytest.raises(ConversionError, match=rf'lacks \d+ .* first {first}'):
            score(tmp_path / f'{name}.pth', loop)
    parallel = {f'module.{name}': tensor for name, tensor in weights.items()}
    for name, whole in (('whole', weights), ('parallel', parallel)):
        torch.save({'state_dict': whole}, tmp_path / f'{name}.pth')
        assert 'acc/top1' in score(tmp_path / f'{name}.pth', loop)


def test_clip_is_scored_where_nothing_is_new(tmp_path, score, weights, tiny_model):
    write_foreign(tmp_path / 'clip.pth', weights, 'openai-clip')
    metrics = score(
        tmp_path / 'clip.pth',
        backbone={
            **tiny_model['backbone'],
            'communication': 'none',
            'out_type': 'pooled',
        },
        neck=None,
        cls_head={**tiny_model['cls_head'], 'prompt': None},
    )
    assert 'acc/top1' in metrics


def test_other_models_load_as_ever(tmp_path, run):
    resnet = dict(type='ResNet', depth=18)
    want = MODELS.build(resnet).state_dict()
    torch.save(
        {'backbone.' + name: t for name, t in want.items()}, tmp_path / 'r18.pth'
    )
    head = dict(type='TSNHead', num_classes=2, in_channels=512)
    model, _ = run(
        tmp_path / 'r18.pth',
        type='Recognizer2D',
        backbone=resnet,
        neck=None,
        cls_head=head,
    )
    assert same(model.backbone.state_dict(), want)


def test_parts_of_ours_start_a_training(tmp_path, run, weights):
    part = {n: t for n, t in weights.items() if n.startswith(('neck', 'cls_head'))}
    torch.save(dict(state_dict=part), tmp_path / 'part.pth')
    save_file({n: t.contiguous() for n, t in part.items()}, tmp_path / 'safe')
    for name in ('part.pth', 'safe'):
        model, _ = run(tmp_path / name)
        assert same(model.state_dict(), part)


def test_averaged_weights_start_from_the_converted_ones(tmp_path, tiny_model, weights):
    write_foreign(tmp_path / 'clip.pth', weights, 'openai-clip')
    runner = Runner(
        model=Config(dict(model=tiny_model)).model,
        work_dir=str(tmp_path / 'work'),
        load_from=str(tmp_path / 'clip.pth'),
        default_hooks=dict(convert=dict(type='ConvertCheckpointHook')),
        custom_hooks=[dict(type='EMAHook')],
        experiment_name=tmp_path.name,
        default_scope='mmaction',
    )
    runner.call_hook('before_run')
    runner.load_or_resume()
    (average,) = (hook for hook in runner.hooks if isinstance(hook, EMAHook))
    assert same(average.ema_model.module.state_dict(), clip_part(weights))


@pytest.mark.parametrize('form', [*WRAPPERS, 'official', 'huggingface'])
def test_init_recognizer_takes_released_weights(tmp_path, tiny_model, weights, form):
    wrap = WRAPPERS.get(form) or (lambda weights: from_mmxclip(weights, form)[0])
    torch.save(wrap(weights), tmp_path / 'k400.bin')
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    model = init_recognizer(config, str(tmp_path / 'k400.bin'), device='cpu')
    assert same(model.state_dict(), weights)
