"""tools/predict.py on a tiny model: output, pictures, errors."""

import json
import os
import runpy
import shutil
import sys
import tarfile
from pathlib import Path

import cv2
import pytest
import torch
from huggingface_hub import constants
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.checkpoints.save import write
from mmxclip.datasets.shape_actions import MOTIONS
from mmxclip.inference.labels import parse_labels
from mmxclip.inference.named_models import find_demo

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


@pytest.fixture
def predict(root, config_file, checkpoint, monkeypatch, capsys):
    """Run the tool in an empty folder; return exit status, stdout and stderr."""
    monkeypatch.chdir(config_file.parent)

    def run(*args, model=True):
        given = ['--config', str(config_file), '--checkpoint', str(checkpoint)]
        tool = str(root / 'tools/predict.py')
        monkeypatch.setattr(sys, 'argv', [tool, *args, *(given if model else [])])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            runpy.run_path(tool, run_name='__main__')
        return exit_info.value.code, *capsys.readouterr()

    return run


def test_prints_scores_and_saves_a_picture_of_one_video(predict, videos, tmp_path):
    status, out, _ = predict(videos[0], '--labels', 'a, b b, c', '--top', '2')
    assert not status
    assert f'{videos[0]}: ' in out
    assert out.count('%') == 2, 'two scores'
    assert 'work_dirs/predictions/clip0.png' in out
    picture = cv2.imread(str(tmp_path / 'work_dirs/predictions/clip0.png'))
    assert picture.shape[1] > 500


@pytest.mark.slow
def test_pictures_of_several_videos_are_asked_for(predict, videos):
    status, out, _ = predict(*videos)
    assert not status
    assert out.count('%') == 2 * len(CLASSES)
    assert not Path('work_dirs').exists()
    _, out, _ = predict(*videos, '--json', '--out', 'here')
    pictures = [row['picture'] for row in json.loads(out)]
    assert pictures == ['here/clip0.png', 'here/clip1.png']
    assert sorted(map(str, Path('here').iterdir())) == pictures


def test_json_is_all_that_is_printed(predict, videos):
    status, out, _ = predict(*videos, '--json')
    assert not status
    rows = json.loads(out)
    assert [row['video'] for row in rows] == videos
    for row in rows:
        assert set(row['scores']) == set(CLASSES), 'default: labels of the config'
        assert row['pred_class'] == next(iter(row['scores']))
        assert sum(row['scores'].values()) == pytest.approx(1)
        assert 'picture' not in row


def test_bad_videos_stay_out_of_the_json(predict, videos, tmp_path):
    (tmp_path / 'bad.mp4').write_bytes(b'no video')
    status, out, _ = predict(videos[0], str(tmp_path / 'bad.mp4'), '--json')
    assert status
    good, bad = json.loads(out)
    assert good['scores']
    assert 'bad.mp4' in bad['error']


def test_a_folder_that_cannot_be_is_an_error_at_once(predict, videos, tmp_path):
    (tmp_path / 'file').touch()
    status, out, _ = predict(videos[0], '--out', 'file')
    assert 'file' in str(status)
    assert not out


def test_labels_from_a_file_or_a_packaged_list(predict, videos, tmp_path):
    (tmp_path / 'names.csv').write_text('id,name\n1,b\n0,"a, with comma"\n')
    texts = {f'class {i}': [f'text {i}', f'{i} more'] for i in range(3)}
    (tmp_path / 'texts.json').write_text(json.dumps(texts))
    for labels, count in (('names.csv', 2), ('texts.json', 3), ('hmdb51', 51)):
        _, out, _ = predict(videos[0], '--labels', labels, '--json', '--top', '99')
        scores = json.loads(out)[0]['scores']
        assert len(scores) == count
        assert count > 2 or set(scores) == {'a, with comma', 'b'}


def test_a_bad_video_does_not_lose_the_others(predict, videos, tmp_path):
    (tmp_path / 'bad.mp4').write_bytes(b'no video')
    status, out, err = predict('gone.mp4', videos[0], 'bad.mp4')
    assert status == 1
    assert f'{videos[0]}: ' in out
    assert 'gone.mp4 does not exist' in err
    assert 'bad.mp4' in err
    status, out, _ = predict('gone.mp4', videos[0], '--json')
    assert status == 1
    assert ['error' in row for row in json.loads(out)] == [True, False]


@pytest.mark.parametrize(
    'labels', ['', ' , ', 'a,', 'a, a', 'names.txt', 'kinetics-400']
)
def test_bad_labels_are_errors(predict, videos, labels):
    status, _, _ = predict(videos[0], '--labels', labels)
    assert str(status).startswith('error: ')
    assert 'class' in str(status)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ('', '--labels is empty'),
        (',', '--labels is empty'),
        ('playing guitar', "commas: --labels 'playing guitar, something else'"),
        ('folder', "--labels 'folder' is a folder"),
    ],
)
def test_what_labels_are_is_told(predict, videos, tmp_path, labels, message):
    (tmp_path / 'folder').mkdir()
    status, _, _ = predict(videos[0], '--labels', labels)
    assert message in str(status)


def test_one_bad_checkpoint_is_an_error_not_a_crash(predict, videos, checkpoint):
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    given = ['--labels', 'a, b', '--checkpoint', str(checkpoint)]
    for layout, message in (
        ('official', 'holds weights without a config, of a ViT of 2 blocks'),
        ('openai-clip', 'is a checkpoint of OpenAI CLIP'),
    ):
        write(checkpoint, weights, layout, force=True)
        status, _, _ = predict(videos[0], *given, model=False)
        assert message in str(status)


@pytest.mark.slow
def test_without_a_network_the_demos_model_answers_and_warns(
    predict, videos, demo, hub, monkeypatch
):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    cfg = Config.fromfile(demo)
    work_dir = Path('work_dirs', demo.stem)
    work_dir.mkdir(parents=True)
    weights = dict(meta=dict(epoch=8), state_dict=MODELS.build(cfg.model).state_dict())
    torch.save(weights, work_dir / 'epoch_8.pth')
    (work_dir / 'last_checkpoint').write_text('epoch_8.pth')
    for labels, warned in (
        ('a dog runs, growing', True),
        ('growing, shrinking', False),
    ):
        status, out, err = predict(videos[0], '--labels', labels, '--json', model=False)
        assert not status
        assert ("warning: without a network, this is the demo's" in err) == warned
        assert ('--model' in err) == warned
        assert json.loads(out)
    status, out, _ = predict(videos[0], '--json', '--model', 'xclip-demo', model=False)
    assert set(json.loads(out)[0]['scores']) <= set(MOTIONS)
    assert hub.requests == []
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', False)
    status, out, _ = predict(videos[0], '--labels', 'growing, b', model=False)
    assert '404' in str(status), 'a Hub that answers is no reason for another model'
    assert not out
    given = ('--config', str(demo), '--checkpoint', str(work_dir / 'epoch_8.pth'))
    _, _, err = predict(videos[0], '--labels', 'a dog, b', *given, model=False)
    assert 'warning:' not in err


def test_without_the_demos_model_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'make demo.*--checkpoint'):
        find_demo(tmp_path / 'clone')


def test_a_missing_checkpoint_is_named(predict, videos):
    status, _, _ = predict(videos[0], '--checkpoint', 'gone.pth', model=False)
    assert "no checkpoint 'gone.pth'" in str(status)
    status, _, err = predict(videos[0], '--top', '0')
    assert status == 2
    assert '--top is 0' in err


def test_many_labels(predict, videos):
    labels = ', '.join(f'doing the thing number {i}' for i in range(40))
    _, out, _ = predict(videos[0], '--labels', labels, '--json', '--top', '99')
    assert len(json.loads(out)[0]['scores']) == 40


def test_a_label_too_long_is_named(predict, videos):
    status, _, _ = predict(videos[0], '--labels', 'short, ' + 'very ' * 90 + 'long')
    assert 'at most 77' in status
    assert 'very very' in status


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('a, b b,c', ['a', 'b b', 'c']),
        ('"moving left", "moving right"', ['moving left', 'moving right']),
        ('["moving left", "moving right"]', ['moving left', 'moving right']),
        ("['a', \"it's b, c\"]", ['a', "it's b, c"]),
        ('"a, b", it\'s c', ['a, b', "it's c"]),
        ('putting [something] down, [something] falls', None),
        ('[something] falls, holding [something]', None),
    ],
)
def test_labels_are_taken_for_what_they_are(text, names):
    assert list(parse_labels(text)) == (names or [x.strip() for x in text.split(',')])


@pytest.mark.parametrize('labels', ['a\tb, c', 'a\u2028b, c', 'a\udcffb, c', 'a, b\nc'])
def test_labels_that_are_no_text_are_one_line(predict, videos, labels):
    status, out, _ = predict(videos[0], '--labels', labels)
    assert str(status).startswith('error: ')
    assert len(str(status).splitlines()) == 1
    assert not out


def test_odd_places_of_videos(predict, videos, tmp_path):
    """Addresses of files, members of archives, names that are not UTF-8, odd words."""
    with tarfile.open(tmp_path / 'videos.tar', 'w') as archive:
        archive.add(videos[0], 'inside.mp4')
    odd = os.fsdecode(os.fsencode(tmp_path) + b'/t\xe9l\xe9.mp4')
    shutil.copy(videos[0], odd)
    good = [videos[0], f'{tmp_path}/videos.tar/inside.mp4', odd]
    bad = [
        f'{tmp_path}/videos.tar/gone.mp4',
        '/gone.mp4',
        'a\tb',
        '',
        'foo://b.mp4',
    ]
    addresses = ['file:///gone.mp4' if name == '/gone.mp4' else name for name in bad]
    given = Path(videos[0]).as_uri(), *good[1:]
    status, out, _ = predict(*addresses, *given, '--json')
    rows = json.loads(out)
    assert status == 1
    assert [row['video'] for row in rows] == [*bad, *good]
    assert all(len(row['error'].splitlines()) == 1 for row in rows[:5])
    first, *others = (row['scores'] for row in rows[5:])
    assert all(scores == pytest.approx(first, abs=1e-6) for scores in others)
    status, out, _ = predict(bad[0], *good)
    assert status == 1
    assert out.count('%') == 15


def test_damaged_videos_are_told_one_by_one(predict, videos, shared):
    damaged = sorted(map(str, (shared / 'faults/videos').iterdir()))
    status, out, _ = predict(*damaged, videos[0], '--json')
    *rows, last = json.loads(out)
    assert [row['video'] for row in rows] == damaged
    assert last['scores']
    assert status == any('error' in row for row in rows)
    for row in rows:
        error = row.get('error', row['video'])
        assert Path(row['video']).name in error
        assert len(error.splitlines()) == 1
