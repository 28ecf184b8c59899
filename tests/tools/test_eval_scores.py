"""tools/eval_scores.py: scores without the model."""

import json
import pickle
import runpy
import sys

import pytest
import torch
from mmengine.fileio import dump, load


@pytest.fixture
def evaluate(root, monkeypatch, capsys):
    def evaluate(*args):
        monkeypatch.setattr(sys, 'argv', ['eval_scores.py', *map(str, args)])
        runpy.run_path(str(root / 'tools/eval_scores.py'), run_name='__main__')
        return json.loads(capsys.readouterr().out)

    return evaluate


def write(path, scores, labels, names=None):
    samples = [
        dict(pred_score=torch.tensor(s).float(), gt_label=torch.tensor([label]))
        for s, label in zip(scores, labels, strict=True)
    ]
    for sample, name in zip(samples, names or [], strict=bool(names)):
        sample['filename'] = name
    dump(samples, str(path))
    return path


def test_scores_of_several_models_are_averaged(evaluate, tmp_path):
    """Each model knows one of three videos, their mean two."""
    labels = [0, 1, 2]
    one = write(tmp_path / '1.pkl', [[9, 0, 0], [5, 4, 0], [5, 0, 4]], labels)
    two = write(tmp_path / '2.pkl', [[0, 1, 0], [0, 9, 0], [5, 0, 4]], labels)
    assert evaluate(one, '--topk', 1)['acc/top1'] == pytest.approx(1 / 3)
    assert evaluate(one, two, '--topk', 1, 2) == {
        'acc/top1': pytest.approx(2 / 3),
        'acc/top2': 1.0,
        'acc/mean1': pytest.approx(2 / 3),
        'acc/num_videos': 3,
        'acc/undecodable': 0,
    }


def test_a_video_that_one_model_could_not_see_is_wrong(evaluate, tmp_path):
    names = ['a.mp4', 'b.mp4']
    seen = write(tmp_path / '1.pkl', [[9, 0], [0, 9]], [0, 1], names)
    samples = load(str(seen))
    samples[1]['undecodable'] = True
    dump(samples, str(tmp_path / '2.pkl'))
    for order in ((seen, tmp_path / '2.pkl'), (tmp_path / '2.pkl', seen)):
        result = evaluate(*order)
        assert (result['acc/top1'], result['acc/undecodable']) == (0.5, 1)


def test_videos_of_several_classes_are_refused(evaluate, tmp_path):
    several = write(tmp_path / '1.pkl', [[9, 0]], [0])
    samples = load(str(several))
    samples[0]['gt_label'] = torch.tensor([1.0, 1.0])
    dump(samples, str(several))
    with pytest.raises(SystemExit, match=r'1\.pkl'):
        evaluate(several)


def test_report_is_written(evaluate, tmp_path):
    scores = write(tmp_path / '1.pkl', [[9, 0], [5, 4]], [0, 1])
    (tmp_path / 'names.txt').write_text('one\ntwo\n')
    report = tmp_path / 'report'
    result = evaluate(scores, '--classes', tmp_path / 'names.txt', '--report', report)
    assert result['classes/never'] == 1
    assert 'two,1,0' in (report / 'per_class.csv').read_text()


def test_scores_of_different_lists_are_refused(evaluate, tmp_path):
    one = write(tmp_path / '1.pkl', [[9, 0], [5, 4]], [0, 1])
    two = write(tmp_path / '2.pkl', [[9, 0], [5, 4]], [1, 0])
    three = write(tmp_path / '3.pkl', [[9, 0, 0], [5, 4, 0]], [0, 1])
    for other in (two, three):
        with pytest.raises(SystemExit, match='not scores of one list'):
            evaluate(one, other)


def test_lists_with_the_same_labels_are_told_apart_by_names(evaluate, tmp_path):
    """As the three test lists of HMDB-51, of 30 videos per class each."""
    scores, labels = [[9, 0], [5, 4]], [0, 1]
    one = write(tmp_path / '1.pkl', scores, labels, ['/here/a.avi', '/here/b.avi'])
    moved = write(tmp_path / '2.pkl', scores, labels, ['/there/a.avi', '/there/b.avi'])
    other = write(tmp_path / '3.pkl', scores, labels, ['/here/a.avi', '/here/c.avi'])
    nameless = write(tmp_path / '4.pkl', scores, labels)
    for fitting in (moved, nameless):
        assert evaluate(one, fitting)['acc/num_videos'] == 2
    with pytest.raises(SystemExit, match='not scores of one list'):
        evaluate(one, other)


@pytest.mark.parametrize(
    'content', [b'', b'no pickle', pickle.dumps([]), pickle.dumps({'meta': 1})]
)
def test_files_without_scores_are_named(evaluate, tmp_path, content):
    (tmp_path / 'x.bin').write_bytes(content)
    with pytest.raises(SystemExit, match=r'error: .*x\.bin holds'):
        evaluate(tmp_path / 'x.bin')
    with pytest.raises(SystemExit, match=r'gone\.pkl'):
        evaluate(tmp_path / 'gone.pkl')


def test_classes_without_a_report_would_be_ignored(evaluate, tmp_path, capsys):
    with pytest.raises(SystemExit):
        evaluate(tmp_path / 'x.pkl', '--classes', 'hmdb51')
    assert '--classes names the rows of --report' in capsys.readouterr().err
