"""A model that was published is another user's by its name."""

import json

import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.checkpoints.model_settings import TEXT
from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.publish import compare, publish
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS
from mmxclip.utils.files import sha256


@pytest.fixture
def trained(demo, tmp_path):
    """What a training of the demo leaves, with class names in a file."""
    cfg = Config.fromfile(demo)
    words = tmp_path / 'words.txt'
    words.write_text('\n'.join(cfg.model.cls_head.classes))
    cfg.model.cls_head.classes = str(words)
    cfg.model.backbone.arch.depth = 1
    weights = MODELS.build(cfg.model).state_dict()
    meta = dict(cfg=cfg.pretty_text, epoch=1)
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(meta=meta, state_dict=weights, optimizer={}), path)
    return path


@pytest.fixture
def results(tmp_path):
    path = tmp_path / '20261129_000000.json'
    lines = {'loss': 2.0, 'step': 1}, {'acc/top1': 0.975, 'acc/top5': 1.0, 'step': 9}
    path.write_text('\n'.join(map(json.dumps, lines)))
    return path


def test_published_model_loads_by_name(trained, results, tool, hub, shapes):
    tmp_path = trained.parent
    folder = tmp_path / 'xclip-mine'
    file = tool(
        'publish_model.py', trained, folder, '--results', results, '--license', 'mit'
    ).strip()
    assert 'optimizer' not in open_checkpoint(file).extras
    classes = (tmp_path / 'words.txt').read_text().splitlines()
    (tmp_path / 'words.txt').unlink()  # it is not on the machines of others
    for path in folder.iterdir():
        hub.files[f'me/xclip-mine/{path.name}'] = path.read_bytes()
    video = str(shapes / 'val/0.mp4')
    name = ('--checkpoint', 'hf-hub:me/xclip-mine')
    (ours,) = json.loads(tool('predict.py', video, *name, '--json'))
    (theirs,) = XCLIPInferencer(None, trained, classes=classes)(video)['predictions']
    best = {label: theirs['scores'][label] for label in ours['scores']}
    assert ours['scores'] == pytest.approx(best)

    _, facts, card = (folder / 'README.md').read_text().split('---\n', 2)
    (index,) = yaml.safe_load(facts)['model-index']
    values = [metric['value'] for metric in index['results'][0]['metrics']]
    assert values == [0.975, 1.0]
    assert '| xclip-mine | its test videos | - | 97.5 | 100.0 |' in card
    assert sha256(file) in card


def test_card_has_what_is_published_for_models_of_these_sizes():
    settings = {
        'backbone': dict(arch=VISION_ARCHS['b/32']),
        'neck': dict(num_frames=16),
        TEXT: dict(arch=TEXT_ARCHS['b/32']),
    }
    table = compare('mine', {'acc/top1': 0.825}, settings)
    assert '| mine | its test videos | 75 | 82.5 | - |' in table
    assert (
        '| xclip-b32-k400-16-frames, published | Kinetics-400 | 75 | 81.1 | 95.5 |'
        in table
    )


def test_a_file_of_no_results_is_named(trained, tmp_path):
    log = tmp_path / 'train.json'
    log.write_text('{"loss": 2.0}\n')
    with pytest.raises(ValueError, match=r'train\.json'):
        publish(trained, tmp_path / 'xclip-mine', results=log)
    assert not (tmp_path / 'xclip-mine').exists()
