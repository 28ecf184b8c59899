"""'None of these': a threshold in a checkpoint, and who uses it."""

import json

import pytest
import torch

from mmxclip.checkpoints.calibration import Calibration, write_calibrated
from mmxclip.checkpoints.formats import open_checkpoint
from mmxclip.inference import XCLIPInferencer
from mmxclip.text import Classes

CLASSES = ('archery', 'bowling', 'canoeing', 'dancing', 'eating')


@pytest.fixture
def calibrated(checkpoint, tmp_path):
    """Write the weights with a threshold and a temperature."""

    def make(threshold, temperature=1.0):
        calibration = Calibration(Classes.of(CLASSES), temperature, threshold, 0.05)
        path = tmp_path / 'calibrated.pth'
        write_calibrated(path, open_checkpoint(checkpoint), calibration, force=True)
        return path

    return make


def test_predict_says_none_of_these(tool, calibrated, config_file, videos, tmp_path):
    def answers(threshold, *args):
        given = ('--config', config_file, '--checkpoint', calibrated(threshold))
        return tool('predict.py', *videos, *given, *args)

    files = ('--json', tmp_path / 'answers.jsonl', '--csv', tmp_path / 'answers.csv')
    answers(0.9, *files)
    lines = files[1].read_text().splitlines()
    assert {json.loads(line)['pred_class'] for line in lines} == {'none of these'}
    assert len(json.loads(lines[0])['scores']) == 5
    assert files[3].read_text().count('none of these') == 2
    assert answers(0.9).count('none of these') == 2
    assert 'none of these' not in answers(0.01)
    # other classes were not calibrated
    assert 'none of these' not in answers(0.9, '--labels', 'a b, c')


def test_timelines_begin_at_the_threshold(tool, calibrated, config_file, videos):
    def ranges(threshold, *args):
        given = ('--config', config_file, '--checkpoint', calibrated(threshold))
        args = (*given, '--least', '0', '--json', *args)
        return json.loads(tool('timeline.py', videos[0], *args))['ranges']

    assert not ranges(None)
    assert not ranges(0.9)
    assert ranges(0.01)
    assert ranges(0.9, '--threshold', '0.01')
    assert not ranges(0.01, '--background', 'an empty room')


def test_the_temperature_is_in_the_scores(calibrated, config_file, checkpoint, videos):
    """Logits of single views are divided by it; the threshold is for its classes."""
    model = XCLIPInferencer(config_file, checkpoint, device='cpu')
    soft = XCLIPInferencer(config_file, calibrated(0.4, 2.0), device='cpu')
    assert (model.threshold, soft.threshold) == (None, 0.4)
    scores = []
    for one in (model, soft):
        one.model.cls_head.average_clips = None
        (found,) = one(videos[0], return_datasamples=True)['predictions']
        scores.append(found.pred_score)
    assert scores[0].shape == (6, 5)
    assert torch.allclose(scores[0], 2 * scores[1], rtol=1e-4)
    for others in (['a', 'b'], {name: f'a video of {name}' for name in CLASSES}):
        soft.set_classes(others)
        assert soft.threshold is None


@pytest.mark.parametrize(
    'said', [dict(temperature=1), dict(classes=['a'], temperature=1, threshold=7)]
)
def test_calibrations_of_others_are_refused(said):
    with pytest.raises(ValueError, match=r'calibrate\.py'):
        Calibration.of(dict(meta=dict(calibration=said)))
