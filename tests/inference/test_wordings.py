"""Wordings of the same classes on the same videos."""

import json

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.wordings import compare_wordings, make_wordings
from mmxclip.text import Classes

NAMES = ['movingLeft', 'movingRight', 'moving_up', 'movingDown', 'growing']


@pytest.fixture(scope='module')
def weights(demo, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    model = MODELS.build(Config.fromfile(demo).model)
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture
def inferencer(demo, weights):
    inferencer = XCLIPInferencer(str(demo), weights, classes=NAMES, device='cpu')
    inferencer.show_progress = False
    return inferencer


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / 'texts.json'
    path.write_text(json.dumps({name: [f'it is {name}', 'a shape'] for name in NAMES}))
    return str(path)


def test_each_wording_counts_what_the_model_would_say(inferencer, shapes, texts):
    wordings = make_wordings(
        inferencer.classes, templates=['a video of {}'], texts=[texts], split_words=True
    )
    seen = []
    inferencer.model.backbone.register_forward_pre_hook(
        lambda _, inputs: seen.append(len(inputs[0]))
    )
    found = compare_wordings(inferencer, wordings, str(shapes / 'val.txt'), str(shapes))
    assert sum(seen) == 5  # once, not once a wording
    assert found.counts == [1] * 5
    spoken = {
        'names': NAMES,
        'split words': [
            'moving Left',
            'moving Right',
            'moving up',
            'moving Down',
            'growing',
        ],
        'a video of {}': {name: f'a video of {name}' for name in NAMES},
        texts: Classes.of(texts),
    }
    assert list(found.right) == list(spoken)
    for wording, classes in spoken.items():
        videos = [str(shapes / f'val/{label}.mp4') for label in range(5)]
        answers = inferencer(videos, classes)['predictions']
        best = [answer['pred_labels'][0] for answer in answers]
        assert found.right[wording] == [int(best[i] == i) for i in range(5)]
        assert found.accuracy(wording) == sum(found.right[wording]) / 5


def test_the_tool_tells_and_writes_gains_and_losses(tool, demo, weights, shapes, texts):
    out = shapes / 'wordings.json'
    options = ['--labels', ','.join(NAMES), '--config', demo, '--split-words']
    options += ['--checkpoint', weights]
    options += ['--texts', texts, '--out', out]
    printed = tool('compare_wordings.py', shapes / 'val.txt', *options)
    found = json.loads(out.read_text())
    assert found['classes'] == NAMES
    assert f'| names | split words | {texts} |' in printed
    change = found['top1'][texts] - found['top1']['names']
    (row,) = (line for line in printed.splitlines() if line.startswith('| all |'))
    assert row.endswith('| = |' if not change else f'| {change:+.3f} |')
    out.write_text('of another comparison')
    with pytest.raises(SystemExit, match=r'wordings\.json'):
        tool('compare_wordings.py', shapes / 'val.txt', *options)


def test_labels_beyond_the_classes_are_told(inferencer, shapes):
    wordings = make_wordings(Classes.of(NAMES[:2]))
    with pytest.raises(ValueError, match='label 4, but there are 2 classes'):
        compare_wordings(inferencer, wordings, str(shapes / 'val.txt'), str(shapes))
