"""The registered metrics, fed with data samples as the test loop feeds them."""

import csv

import cv2
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmxclip.evaluation import VideoAccMetric


def samples(scores, labels, undecodable=()):
    made = []
    for i, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = ActionDataSample(
            metainfo=dict(filename=f'v{i}.mp4', undecodable=i in undecodable)
        )
        sample.set_gt_label(label).set_pred_score(torch.tensor(score).float())
        made.append(sample)
    return made


SCORES = [[3, 2, 1], [3, 2, 1], [1, 3, 2], [1, 2, 3]]
LABELS = [0, 1, 1, 0]


def test_all_decoded_is_the_hosts_accuracy():
    """Class 0: one of two; class 1: one of two; top-2: three of four."""
    metric = dict(
        type='VideoAccMetric', metric_options=dict(top_k_accuracy=dict(topk=(1, 2, 5)))
    )
    host = metric | dict(type='AccMetric')
    ours = Evaluator(metric).offline_evaluate(samples(SCORES, LABELS), chunk_size=3)
    assert ours.pop('acc/num_videos') == 4
    assert ours.pop('acc/undecodable') == 0
    theirs = Evaluator(host).offline_evaluate(samples(SCORES, LABELS))
    # The host counts class 2, which has no videos, because it was predicted.
    assert (ours.pop('acc/mean1'), theirs.pop('acc/mean1')) == (0.5, 1 / 3)
    assert ours == theirs
    assert ours['acc/top1'] == 0.5
    assert ours['acc/top2'] == 0.75


@pytest.mark.parametrize('lost', [0, 2])
def test_undecodable_videos_count_as_wrong(lost):
    """Videos 0 and 2 are the recognised ones; all ranks, also K=3, lose one."""
    options = dict(top_k_accuracy=dict(topk=(1, 2, 3, 5)))
    metric = dict(type='VideoAccMetric', metric_options=options)
    result = Evaluator(metric).offline_evaluate(samples(SCORES, LABELS, {lost}))
    assert result['acc/top1'] == 0.25
    assert result['acc/top2'] == 0.5
    assert result['acc/top3'] == 0.75
    assert result['acc/mean1'] == 0.25
    assert result['acc/top5'] == 0.75
    assert result['acc/num_videos'] == 4
    assert result['acc/undecodable'] == 1


def test_of_equal_scores_the_first_leads_in_all_metrics(tmp_path):
    """A collapsed model: all videos are taken for class 0."""
    metrics = [dict(type='VideoAccMetric'), dict(type='ClassReport', out_dir=tmp_path)]
    equal = samples([[0.5, 0.5]] * 4, [0, 1, 1, 1])
    many = samples([[1 / 400] * 400] * 5, list(range(5)))
    assert Evaluator(metrics[0]).offline_evaluate(many)['acc/top5'] == 1
    result = Evaluator(metrics).offline_evaluate(equal)
    assert result['acc/top1'] == 0.25
    assert result['acc/mean1'] == 0.5
    assert result['classes/never'] == 1


def test_scores_that_are_no_numbers_are_wrong():
    scores = [[float('nan')] * 3, [3, 2, 1]]
    result = Evaluator(dict(type='VideoAccMetric')).offline_evaluate(
        samples(scores, [0, 0])
    )
    assert result['acc/top1'] == result['acc/top5'] == result['acc/mean1'] == 0.5


@pytest.mark.parametrize('kind', [int, float])
def test_undecodable_videos_of_several_classes_lower_the_precision(kind):
    scores = [[0.9, 0.1, 0.8], [0.2, 0.7, 0.1], [0.8, 0.6, 0.9]]
    labels = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.float)
    metric = dict(type='VideoAccMetric', metric_list='mean_average_precision')
    values = []
    for lost in ({}, {0}):
        made = samples(scores, [0] * 3, lost)
        for sample, label in zip(made, labels, strict=True):
            sample.set_gt_label(label.to(getattr(torch, kind.__name__)))
        result = Evaluator(metric).offline_evaluate(made)
        values.append(result['acc/mean_average_precision'])
    assert values[0] == 1
    assert values[1] == pytest.approx((2 * (0.5 + 0.5 * 2 / 3) + 1) / 3)


@pytest.mark.parametrize('kind', ['VideoAccMetric', 'ClassReport'])
def test_several_classes_a_video_are_refused_where_one_is_counted(kind, tmp_path):
    metric = dict(type=kind) | (dict(out_dir=tmp_path) if 'Report' in kind else {})
    (sample,) = samples([[0.5, 0.5]], [0])
    sample.set_gt_label(torch.tensor([1.0, 1.0]))
    with pytest.raises(ValueError, match='one class'):
        Evaluator(metric).offline_evaluate([sample])


def test_only_what_is_asked_for_is_reported():
    metric = dict(type='VideoAccMetric', metric_list='top_k_accuracy')
    result = Evaluator(metric).offline_evaluate(samples(SCORES, LABELS))
    assert set(result) == {
        *('acc/top1', 'acc/top5', 'acc/num_videos', 'acc/undecodable')
    }


def test_undecodable_videos_are_named(capsys):
    MMLogger.get_instance('named', logger_name='mmengine')
    Evaluator(dict(type='VideoAccMetric')).offline_evaluate(
        samples(SCORES, LABELS, {1, 3})
    )
    text = ''.join(capsys.readouterr())
    assert '2 of 4 videos' in text
    assert 'v1.mp4' in text
    assert 'v3.mp4' in text
    assert 'v2.mp4' not in text


def test_samples_without_flag_are_decoded():
    """Pipelines of the host know no undecodable videos."""
    sample = ActionDataSample().set_gt_label(1).set_pred_score(torch.tensor([0.0, 1]))
    result = Evaluator(dict(type='VideoAccMetric')).offline_evaluate([sample])
    assert result['acc/top1'] == 1
    assert result['acc/undecodable'] == 0


def test_class_report_writes_table_and_picture(tmp_path):
    report = dict(type='ClassReport', out_dir=tmp_path / 'new', classes=['a', 'b', 'c'])
    result = Evaluator(report).offline_evaluate(samples(SCORES, LABELS, {2}))
    assert result == {'classes/worst': 0.0, 'classes/never': 1}
    with (tmp_path / 'new' / 'per_class.csv').open() as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ['0', 'a', '2', '1', '0.5000', 'c', '1'],
        ['1', 'b', '2', '0', '0.0000', 'a', '1'],
        ['2', 'c', '0', '0', '', '', '0'],
    ]
    picture = cv2.imread(str(tmp_path / 'new' / 'confusion_matrix.png'))
    assert picture.std() > 10


@pytest.mark.slow
def test_class_report_of_many_classes(tmp_path):
    scores, labels = torch.eye(70).tolist(), list(range(70))
    report = dict(type='ClassReport', out_dir=tmp_path)
    result = Evaluator(report).offline_evaluate(samples(scores, labels))
    assert result == {'classes/worst': 1.0, 'classes/never': 0}
    assert (tmp_path / 'confusion_matrix.png').exists()


def test_large_confusion_matrices_show_shares_of_the_true_class(tmp_path):
    """All are taken for the first: a column as bright as can be, however many."""
    labels = [label for label in range(30) for _ in range(label + 1)]
    scores = [[1.0] + [0.0] * 29] * len(labels)
    report = dict(type='ClassReport', out_dir=tmp_path)
    Evaluator(report).offline_evaluate(samples(scores, labels))
    picture = cv2.imread(str(tmp_path / 'confusion_matrix.png')).astype(int)
    blue, green, red = picture.reshape(-1, 3).T
    yellow = ((blue < 60) & (green > 200) & (red > 200)).sum()  # of viridis, its end
    purple = ((abs(blue - 84) < 9) & (green < 10) & (abs(red - 68) < 9)).sum()
    assert 1 / 40 < yellow / purple < 1 / 15


def test_class_report_refuses_other_classes(tmp_path):
    report = dict(type='ClassReport', out_dir=tmp_path, classes=['a', 'b'])
    with pytest.raises(ValueError, match=r'2 names .* 3 classes'):
        Evaluator(report).offline_evaluate(samples(SCORES, LABELS))
    report = dict(type='ClassReport', out_dir=tmp_path)
    with pytest.raises(ValueError, match=r'label 3.* 3 classes'):
        Evaluator(report).offline_evaluate(samples(SCORES, [0, 1, 3, 0]))


def test_nothing_to_evaluate_is_an_error_with_its_usual_cause():
    with pytest.raises(ValueError, match='drop_last'):
        VideoAccMetric().compute_metrics([])
