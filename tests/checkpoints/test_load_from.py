"""`load_from` of the stock Runner takes every published kind of checkpoint."""

import pytest
import torch
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.runner.checkpoint import CheckpointLoader, load_from_http, load_from_local
from runs import make_runner
from safetensors.torch import save_file
from torch import nn

from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import export, write

pytestmark = pytest.mark.usefixtures('closed_logs')


@pytest.fixture
def run(tmp_path, tiny_model):
    """Load a checkpoint as training does; returns the model and the log."""

    def start(path, **changes):
        runner = make_runner(tmp_path, {**tiny_model, **changes}, path)
        runner.call_hook('before_run')
        runner.load_or_resume()
        log = next((tmp_path / 'work').rglob('*.log'))
        return runner.model, log.read_text()

    return start


def same(state, weights):
    return all(torch.equal(state[name], tensor) for name, tensor in weights.items())


def clip_part(weights):
    return {
        name: tensor
        for name, tensor in weights.items()
        if 'message_' not in name and not name.startswith(('neck', 'cls_head.prompt'))
    }


def save_tensors(tensors, path):
    save_file({name: t.contiguous() for name, t in tensors.items()}, path)


WRAPPERS = {
    'ours': lambda weights: {'state_dict': weights, 'meta': {}},
    'of a script': lambda weights: {'model': weights, 'epoch': 3},
    'compiled': lambda weights: {f'_orig_mod.{n}': t for n, t in weights.items()},
}
FORMS = [*WRAPPERS, 'official', 'huggingface', 'safetensors', 'bin']


def save_as(form, weights, path):
    if form in WRAPPERS:
        torch.save(WRAPPERS[form](weights), path)
    elif form in ('official', 'huggingface'):
        write(path, weights, form)
    else:
        hf, _ = export(weights, 'huggingface')
        (save_tensors if form == 'safetensors' else torch.save)(hf, path)


@pytest.mark.slow
@pytest.mark.parametrize('form', FORMS)
def test_complete_checkpoints(tmp_path, run, tiny_model, weights, form):
    path = tmp_path / 'k400'
    save_as(form, weights, path)
    model, log = run(path)
    assert same(model.state_dict(), weights)
    assert 'missing keys' not in log
    assert 'unexpected key' not in log
    assert ('-> mmxclip' in log) == (form not in WRAPPERS)
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    model = init_recognizer(config, f'mmxclip://{path}', device='cpu')
    assert same(model.state_dict(), weights)


def test_the_hosts_own_loaders_stay():
    assert CheckpointLoader._schemes[''] is load_from_local
    assert CheckpointLoader._schemes['http://'] is load_from_http


@pytest.mark.parametrize('form', ['PyTorch', 'safetensors'])
def test_clip_with_a_report(run, tiny_model, weights, clip, form):
    if form == 'safetensors':
        save_tensors(torch.load(clip), clip)
    model, log = run(clip)
    assert same(model.state_dict(), clip_part(weights))
    assert 'OpenAI CLIP -> Recognizer3D' in log
    assert 'backbone message tokens (16), neck (13), cls_head.prompt (32)' in log
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    with pytest.raises(CheckpointError, match='OpenAI CLIP'):
        init_recognizer(config, f'mmxclip://{clip}', device='cpu')


def test_a_converted_clip_names_no_actions(tmp_path, tiny_model, weights):
    torch.save(dict(state_dict=clip_part(weights)), tmp_path / 'clip.pth')
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    for scheme in ('', 'mmxclip://'):
        with pytest.raises(CheckpointError, match=r' 16 .*message_fc'):
            init_recognizer(config, f'{scheme}{tmp_path}/clip.pth', device='cpu')


@pytest.mark.parametrize(
    'names',
    [
        ('cls_token', 'patch_embed.proj.weight', 'norm.weight'),
        ('backbone.cls_token', 'backbone.ln1.weight'),
    ],
)
def test_init_recognizer_refuses_what_it_cannot_load(tmp_path, tiny_model, names):
    torch.save({name: torch.ones(1) for name in names}, tmp_path / 'x.pth')
    config = Config(dict(model=tiny_model, default_scope='mmaction'))
    with pytest.raises(CheckpointError, match=r'MMPretrain ViT, .*convert_checkpoint'):
        init_recognizer(config, str(tmp_path / 'x.pth'), device='cpu')


def test_imagenet_vit(tmp_path, run, tiny_model, timm):
    tiny_model['backbone']['arch']['embed_dims'] = 64
    tiny_model['cls_head']['prompt']['context_dims'] = 64
    torch.save(timm, tmp_path / 'vit.pth')
    model, log = run(tmp_path / 'vit.pth')
    state = model.state_dict()
    name = 'backbone.resblocks.1.attn.in_proj_weight'
    assert torch.equal(state[name], timm['blocks.1.attn.qkv.weight'])
    assert torch.equal(state['backbone.ln_post.weight'], timm['norm.weight'])
    assert 'QuickGELU' in log


def test_other_sizes_are_said_with_both_shapes(tmp_path, run, tiny_model, weights):
    write(tmp_path / 'k400.pth', weights, 'official')
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
    write(tmp_path / 'k400.pth', weights, 'official')
    with pytest.raises(CheckpointError, match=r'model\.neck\.depth = 1$'):
        run(tmp_path / 'k400.pth', neck={**tiny_model['neck'], 'depth': 4})


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'state_dict': {'backbone.conv1.weight': torch.ones(1)}}, 'of another model'),
        ({'state_dict': {'backbone.conv5.weight': torch.ones(1)}}, 'belong to no mod'),
        ({'state_dict': {}}, 'no tensors at all'),
        (None, 'holds a NoneType'),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path, run, content, message):
    torch.save(content, tmp_path / 'x')
    with pytest.raises(CheckpointError, match=message):
        run(tmp_path / 'x')


def test_other_models_load_as_ever(tmp_path, run):
    resnet = dict(type='ResNet', depth=18)
    want = MODELS.build(resnet).state_dict()
    torch.save({'backbone.' + n: t for n, t in want.items()}, tmp_path / 'r18.pth')
    head = dict(type='TSNHead', num_classes=2, in_channels=512)
    changes = dict(type='Recognizer2D', backbone=resnet, neck=None, cls_head=head)
    model, _ = run(tmp_path / 'r18.pth', **changes)
    assert same(model.backbone.state_dict(), want)


def test_other_models_are_complete_or_get_no_score(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(nn.Linear(2, 4).state_dict(), path)
    load(nn.Linear(2, 4), open_checkpoint(path))
    with pytest.raises(CheckpointError, match=r'x\.pth: weight is \(4, 2\)'):
        load(nn.Linear(2, 3), path)
    torch.save({'weight': torch.ones(4, 2)}, path)
    with pytest.raises(CheckpointError, match=r'lacks 1 .* bias'):
        load(nn.Linear(2, 4), path)


def test_uniformerv2_keeps_its_own_checkpoint(tmp_path, run, tiny_model):
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
    want = MODELS.build({**tiny_model, **changes}).state_dict()
    assert {'backbone.class_embedding', 'backbone.ln_pre.weight'} <= want.keys()
    torch.save(dict(state_dict=want, meta=dict(epoch=3)), tmp_path / 'uniformer.pth')
    model, log = run(tmp_path / 'uniformer.pth', **changes)
    assert same(model.state_dict(), want)
    assert '->' not in log


def test_parts_of_ours_start_a_training(tmp_path, run, weights):
    part = {n: t for n, t in weights.items() if n.startswith(('neck', 'cls_head'))}
    torch.save(dict(state_dict=part), tmp_path / 'part.pth')
    save_tensors(part, tmp_path / 'safe')
    for name in ('part.pth', 'safe'):
        model, _ = run(tmp_path / name)
        assert same(model.state_dict(), part)


def test_averaged_weights_start_from_the_converted_ones(tmp_path, tiny_model, clip):
    hook = dict(custom_hooks=[dict(type='EMAHook')])
    runner = make_runner(tmp_path, tiny_model, clip, **hook)
    runner.call_hook('before_run')
    runner.load_or_resume()
    (average,) = (hook for hook in runner.hooks if isinstance(hook, EMAHook))
    assert same(average.ema_model.module.state_dict(), runner.model.state_dict())
