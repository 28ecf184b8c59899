"""How sure a model is: metrics, temperature, threshold, and who uses them."""

import json

import cv2
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.fileio import dump, load

from mmxclip.evaluation.calibration import (
    calibration_error,
    fit_temperature,
    log_scores,
    to_probabilities,
)
from mmxclip.evaluation.unknown import auroc, false_positive_rate, threshold_at

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


def evaluate(kind, scores, labels, undecodable=()):
    made = []
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = ActionDataSample(metainfo=dict(undecodable=i in undecodable))
        made.append(sample.set_gt_label(label).set_pred_score(torch.tensor(score)))
    return Evaluator(dict(type=kind)).offline_evaluate(made)


def test_calibration_counted_by_hand():
    """Two videos at 0.8, one right; one at 0.6, right."""
    scores = [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]
    found = evaluate('CalibrationMetric', scores, [0, 1, 1])
    assert found['calibration/ece'] == pytest.approx((2 * 0.3 + 0.4) / 3)
    # of either class the same: confidences 0.8, 0.8, 0.4 and 0.2, 0.2, 0.6
    assert found['calibration/classwise_ece'] == pytest.approx((2 * 0.3 + 0.4) / 3)
    squares = 2 * 0.2**2 + 2 * 0.8**2 + 2 * 0.4**2
    assert found['calibration/brier'] == pytest.approx(squares / 3)


def test_undecodable_and_unknown_videos_have_no_confidence():
    scores, labels = [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]], [0, 1, 1]
    without = evaluate('CalibrationMetric', scores[:2], labels[:2])
    assert evaluate('CalibrationMetric', scores, labels, {2}) == without
    assert evaluate('CalibrationMetric', scores, [0, 1, 2]) == without
    assert evaluate('VideoAccMetric', scores, [0, 1, 2])['acc/top1'] == 1 / 3
    with pytest.raises(ValueError, match='no video'):
        evaluate('CalibrationMetric', scores[:1], labels[:1], {0})


def test_views_and_their_mean_are_judged_alike():
    logits = torch.randn(6, 3, 5)
    mean, labels = logits.softmax(dim=-1).mean(dim=1), [0, 1, 2, 3, 4, 0]
    for kind in ('CalibrationMetric', 'VideoAccMetric'):
        single = evaluate(kind, logits.tolist(), labels)
        assert single == pytest.approx(evaluate(kind, mean.tolist(), labels))


def test_perfect_confidence_has_no_error():
    confidence = torch.rand(20_000)
    right = torch.rand(20_000) < confidence
    assert calibration_error(confidence, right) < 0.02
    assert calibration_error(confidence, ~right) > 0.3


def test_unknown_counted_by_hand():
    """Known: maxima 3, 1; unknown: 2, 0; so three of four pairs are in order."""
    scores = [[3.0, -9], [1.0, -9], [2.0, -9], [0.0, -9]]
    found = evaluate('UnknownMetric', scores, [0, 1, 2, 7])
    assert found['unknown/auroc_logit'] == found['unknown/auroc_energy'] == 0.75
    assert found['unknown/fpr95_logit'] == 0.5
    probabilities = torch.tensor(scores).softmax(dim=1).tolist()
    found = evaluate('UnknownMetric', probabilities, [0, 1, 2, 7])
    assert found == {
        'unknown/auroc_probability': 0.75,
        'unknown/fpr95_probability': 0.5,
    }
    with pytest.raises(ValueError, match='0 unknown'):
        evaluate('UnknownMetric', scores, [0, 1, 1, 0])


def test_equal_scores_tell_nothing():
    same = torch.ones(7)
    assert auroc(same, same) == 0.5
    assert false_positive_rate(same, same) == 1


@pytest.mark.parametrize(('rate', 'passing'), [(0, 0), (0.05, 5), (0.5, 50)])
def test_threshold_lets_as_many_pass(rate, passing):
    unknown = torch.linspace(0, 0.99, 100)[torch.randperm(100)]
    assert int((unknown >= threshold_at(unknown, rate)).sum()) == passing


def test_the_temperature_that_was_put_in_is_found():
    """Labels drawn from the probabilities, which are then sharpened by 3."""
    logits = torch.randn(4000, 2, 5).double()
    labels = torch.multinomial(to_probabilities(logits), 1).flatten()
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    # of one view, probabilities tell as much as logits
    one = 3 * logits[:, :1]
    dumped = torch.stack([log_scores(p) for p in to_probabilities(one)])
    assert fit_temperature(dumped, labels) == pytest.approx(
        fit_temperature(one, labels), rel=1e-4
    )


def test_where_all_is_right_no_temperature_fits():
    with pytest.raises(ValueError, match='9 videos'):
        fit_temperature(torch.eye(9).unsqueeze(1), torch.arange(9))


@pytest.fixture
def checkpoint(tiny_model, tmp_path):
    """Random weights, with the config that is stored beside them."""
    weights = MODELS.build(tiny_model).state_dict()
    meta = dict(cfg=Config(dict(model=tiny_model)).pretty_text, epoch=3)
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict=weights, meta=meta, optimizer={}), path)
    return path


def write(path, scores, labels):
    samples = [
        dict(pred_score=score, gt_label=torch.tensor([int(label)]))
        for score, label in zip(scores, labels, strict=True)
    ]
    dump(samples, str(path))
    return path


@pytest.fixture
def dumps(tmp_path):
    """Scores that are too sure by 2, and those of unknown videos, less so."""
    logits = torch.randn(400, 2, 5).double()
    labels = torch.multinomial(to_probabilities(logits), 1)
    known = write(tmp_path / 'known.pkl', 2 * logits, labels)
    unknown = write(tmp_path / 'unknown.pkl', 0.3 * logits[:100], labels[:100])
    return known, unknown


def test_the_checkpoint_is_calibrated(tool, checkpoint, dumps, tmp_path):
    known, unknown = dumps
    before, out = checkpoint.read_bytes(), tmp_path / 'out.pth'
    picture = tmp_path / 'diagram.png'
    more = ('--unknown', unknown, '--rate', '0.1', '--diagram', picture)
    found = json.loads(tool('calibrate.py', checkpoint, out, '--scores', known, *more))
    assert found['temperature'] == pytest.approx(2, rel=0.2)
    assert found['after']['ece'] < found['before']['ece']
    assert found['after']['nll'] < found['before']['nll']
    assert found['unknown_accepted'] <= 0.1 < found['known_accepted']
    assert checkpoint.read_bytes() == before
    assert cv2.imread(str(picture)).std() > 10
    old, new = (torch.load(path)['state_dict'] for path in (checkpoint, out))
    scale = 'cls_head.logit_scale'
    sharpness = old.pop(scale).exp() / new.pop(scale).exp()
    assert float(sharpness) == pytest.approx(found['temperature'])
    assert all(torch.equal(old[name], new[name]) for name in old)
    meta = torch.load(out)['meta']
    assert meta.keys() == {'cfg', 'calibration'}
    assert meta['calibration']['threshold'] == found['threshold']
    assert meta['calibration']['classes'] == list(CLASSES)
    with pytest.raises(SystemExit, match=r'out\.pth exists'):
        tool('calibrate.py', checkpoint, out, '--scores', known)


def test_what_does_not_fit_is_one_line(tool, checkpoint, dumps, tmp_path):
    known, _ = dumps
    means = write(tmp_path / 'means.pkl', 9 * torch.randn(4, 5), [0, 1, 2, 3])
    few = write(tmp_path / 'few.pkl', torch.rand(4, 3).softmax(dim=1), [0, 1, 2, 0])
    beyond = write(tmp_path / 'beyond.pkl', torch.randn(2, 2, 5), [0, 5])
    content = torch.load(checkpoint)
    torch.save(content['state_dict'], tmp_path / 'bare.pth')
    for file, model, named in (
        (means, checkpoint, 'means of logits'),
        (few, checkpoint, '5 class names and 3'),
        (beyond, checkpoint, r'0 to 5.*5 classes'),
        (known, tmp_path / 'bare.pth', '--classes'),
    ):
        with pytest.raises(SystemExit, match=named):
            tool('calibrate.py', model, tmp_path / 'new.pth', '--scores', file)
    assert not (tmp_path / 'new.pth').exists()


def test_from_test_to_prediction(tool, demo, shapes, tmp_path):
    """docs/howto/calibrate.md: weights, dumps of single views, a threshold, answers."""
    config = Config.fromfile(demo)
    weights = MODELS.build(config.model).state_dict()
    meta = dict(cfg=config.pretty_text)
    torch.save(dict(state_dict=weights, meta=meta), tmp_path / 'demo.pth')
    labels = (shapes / 'val.txt').read_text().replace('.mp4 4', '.mp4 8')
    (shapes / 'unknown.txt').write_text(labels)
    options = ['--cfg-options', 'model.cls_head.average_clips=None']
    options += ['test_dataloader.num_workers=0']
    options += ['test_dataloader.persistent_workers=False']
    unknown = 'test_dataloader.dataset.ann_file=unknown.txt'
    for name, more in (
        ('scores.pkl', []),
        ('unknown.pkl', [unknown, 'default_hooks.labels=None']),
    ):
        tool('test.py', demo, 'demo.pth', '--dump', name, *options, *more)
    samples = load('scores.pkl')
    for sample in samples[:3]:  # a model that has learned something
        sample['gt_label'] = sample['pred_score'].mean(dim=0).argmax().reshape(1)
    dump(samples, 'scores.pkl')
    args = ('--scores', 'scores.pkl', '--unknown', 'unknown.pkl', '--rate', '0')
    found = json.loads(tool('calibrate.py', 'demo.pth', 'new.pth', *args))
    assert found['videos'] == found['unknown_videos'] == 5
    assert found['unknown_accepted'] == 0
    video = shapes / 'val/0.mp4'
    assert 'none of these' in tool('predict.py', video, '--checkpoint', 'new.pth')
