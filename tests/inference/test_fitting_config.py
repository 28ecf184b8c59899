"""Weights without a config get the one that fits, or an error that names it."""

import sys

import pytest
import torch
from mmengine.config import Config

from mmxclip.checkpoints.model_settings import PROMPT, TEXT
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write
from mmxclip.checkpoints.stored_config import stored_config
from mmxclip.inference import XCLIPInferencer, fitting_config
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']
KINETICS = ['Kinetics-400', 'Kinetics-600']


def test_what_a_training_stores_is_read_back(demo):
    """Its keys are names of Python or not (``lr_mult``)."""
    cfg = Config.fromfile(demo)
    assert stored_config({'meta': {'cfg': cfg.pretty_text}}) == cfg.to_dict()


@pytest.mark.slow
@pytest.mark.parametrize('layout', ['official', 'huggingface'])
def test_weights_alone_take_the_config_of_their_sizes(
    config_file, checkpoint, videos, monkeypatch, layout
):
    names = ['a dog runs', 'a cat sleeps']
    given = XCLIPInferencer(config_file, checkpoint, classes=names, device='cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    path = checkpoint.with_name(layout)
    write(path, weights, layout)
    asked = []
    monkeypatch.setattr(
        fitting_config,
        'find_configs',
        lambda settings: asked.append(settings) or {'x': config_file},
    )
    alone = XCLIPInferencer(None, path, classes=names, device='cpu')
    assert alone(videos[0])['predictions'] == given(videos[0])['predictions']
    assert asked[0]['backbone']['arch']['patch_size'] == 16
    assert asked[0]['neck']['num_frames'] == 4


def test_weights_alone_take_no_classes_by_chance(
    config_file, checkpoint, tmp_path, monkeypatch
):
    choices = {'Kinetics-400': config_file, 'Kinetics-600': tmp_path / 'k600.py'}
    monkeypatch.setattr(fitting_config, 'find_configs', lambda _: choices)
    with pytest.raises(ValueError, match=r'4 frames.*--labels.*tiny\.py.*k600\.py'):
        XCLIPInferencer(None, checkpoint, device='cpu')
    del choices['Kinetics-600']
    assert list(XCLIPInferencer(None, checkpoint, device='cpu').classes) == CLASSES


def test_weights_without_any_config_say_what_to_do(checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r'tiny\.pth.* 32.*config'):
        XCLIPInferencer(None, checkpoint, classes=['a', 'b'], device='cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    write(tmp_path / 'clip.pth', weights, 'openai-clip')
    with pytest.raises(ValueError, match=r'clip\.pth.*OpenAI CLIP'):
        XCLIPInferencer(None, tmp_path / 'clip.pth', classes=['a', 'b'], device='cpu')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match=r'list\.pth holds a list'):
        XCLIPInferencer(None, tmp_path / 'list.pth', device='cpu')


def with_config(checkpoint, text, **meta):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, 'meta': dict(cfg=text, **meta)}, checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize(
    'change',
    [
        "__import__('os').system('touch MARK')",
        "import os\nos.system('touch MARK')",
        "x = open('MARK', 'w')",
        "x = [open('MARK', 'w') for _ in 'a']",
        "x = dict(**dict(a=open('MARK', 'w')))",
        'x = dict(**dict(a=1))',
        'x = dict({1: 2}, {3: 4})',
        "x = f\"{open('MARK', 'w')}\"",
        "model['type'] = 'Recognizer2D'",
        'x = ' + '-' * 100_000 + '1',
        'x = ' + '(' * 1000,
        "model = dict(type='os.system', command='touch MARK')",
        "model = dict(type='Recognizer3D', backbone=dict(type='this'))",
        "model = dict(type='Recognizer3D', backbone=dict(type=['XCLIPViT']))",
        'model = None',
    ],
)
def test_a_stored_config_is_read_and_never_run(
    config_file, checkpoint, tmp_path, monkeypatch, change
):
    monkeypatch.chdir(tmp_path)
    text = Config.fromfile(config_file).pretty_text
    with_config(checkpoint, f'{text}\n{change}\n')
    with pytest.raises(CheckpointError, match=r'(?s)tiny\.pth.*--config'):
        XCLIPInferencer(None, checkpoint, device='cpu')
    assert not (tmp_path / 'MARK').exists()
    assert 'this' not in sys.modules
    XCLIPInferencer(config_file, checkpoint, device='cpu')


@pytest.mark.slow
@pytest.mark.parametrize('meta', ['no dict', dict(cfg=3), None])
def test_strange_meta_is_no_config(config_file, checkpoint, meta):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, 'meta': meta}, checkpoint)
    XCLIPInferencer(config_file, checkpoint, device='cpu')
    with pytest.raises(ValueError, match='config'):
        XCLIPInferencer(None, checkpoint, classes=['a', 'b'], device='cpu')


@pytest.mark.parametrize(
    ('arch', 'changes', 'frames', 'data'),
    [
        ('b/32', {}, 16, ['Kinetics-400']),
        ('b/16', {}, 8, KINETICS),
        ('b/16', {}, 32, ['HMDB-51', 'UCF-101', 'Kinetics-600']),
        ('l/14', {}, 8, KINETICS),
        ('l/14@336', {}, 16, ['Kinetics-400']),
        ('b/16', {}, 5, []),
        ('b/16', dict(patch_size=8), 8, []),
    ],
)
def test_published_configs_are_found_by_size(arch, changes, frames, data):
    width = VISION_ARCHS[arch]['out_dims']
    settings = {
        'backbone': dict(arch={**VISION_ARCHS[arch], **changes}),
        'neck': dict(embed_dims=width, num_frames=frames, depth=1),
        TEXT: dict(arch=TEXT_ARCHS[arch]),
        PROMPT: dict(embed_dims=width, depth=2),
    }
    found = fitting_config.find_configs(settings)
    assert list(found) == data
    for path in found.values():
        model = Config.fromfile(path).model
        assert model.backbone.arch == arch
        assert model.neck.num_frames == frames
