"""Many videos: of any kind, in batches, some bad, interrupted and resumed."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
import tarfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.config import Config

from mmxclip.datasets import VideoInit, VideoReader
from mmxclip.inference import XCLIPInferencer, predict_videos

LABELS = 'a dog runs, a cat sleeps, growing'


@TRANSFORMS.register_module()
class FragileInit(VideoInit):
    """A decoder that does what a file is called."""

    def transform(self, results):
        name = Path(results['filename']).stem
        if name == 'crash':
            os.kill(os.getpid(), signal.SIGKILL)
        if name == 'hang' and not Path('awake').exists():
            time.sleep(1000)
        return super().transform(results)


@pytest.fixture
def inferencer(config_file, checkpoint):
    return XCLIPInferencer(config_file, checkpoint, device='cpu')


@pytest.fixture
def model(config_file, checkpoint, monkeypatch):
    """Options of the tool, in an empty folder, for a model with a fragile decoder."""
    monkeypatch.chdir(config_file.parent)
    cfg = Config.fromfile(config_file)
    cfg.test_dataloader.dataset.pipeline[0].type = 'FragileInit'
    cfg.dump(config_file)
    options = ['--model', config_file, '--checkpoint', checkpoint, '--device', 'cpu']
    return [*options, '--labels', LABELS]


@pytest.fixture
def films(videos, tmp_path):
    """Copies of the two videos by name."""

    def make(*names):
        folder = tmp_path / 'films'
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            shutil.copy(videos[number % 2], folder / name)
        return 'films'

    return make


@pytest.fixture
def everywhere(videos, tmp_path):
    """One video in all places that there are, and the other one among them."""
    with VideoReader(videos[0]) as reader:
        frames = reader.get_batch(range(len(reader)))
    (tmp_path / 'tree/frames').mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        file = tmp_path / f'tree/frames/img_{number:05}.png'
        cv2.imwrite(str(file), frame[..., ::-1])
    shutil.copy(videos[1], tmp_path / 'tree/other.mp4')
    (tmp_path / 'web').mkdir()
    shutil.copy(videos[0], tmp_path / 'web/there.mp4')
    with tarfile.open(tmp_path / 'videos.tar', 'w') as archive:
        archive.add(videos[0], 'a/inside.mp4')
        archive.add(videos[1], 'b/other.mp4')
    shutil.copy(tmp_path / 'videos.tar', tmp_path / 'whole.tar')
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / 'web'))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        address = f'http://127.0.0.1:{server.server_port}/there.mp4'
        yield ['tree', 'clip*.mp4', 'videos.tar/a/inside.mp4', 'whole.tar', address]
        server.shutdown()


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_videos_of_any_kind_in_one_run(tool, model, everywhere):
    tool('predict.py', *everywhere, *model, '--json', 'a.jsonl', '--csv', 'a.csv')
    rows = read_lines('a.jsonl')
    same = (
        'tree/frames',
        'clip0.mp4',
        'videos.tar/a/inside.mp4',
        'whole.tar/a/inside.mp4',
    )
    other = 'tree/other.mp4', 'clip1.mp4', 'whole.tar/b/other.mp4'
    order = [
        'tree/other.mp4',
        'tree/frames',
        'clip0.mp4',
        'clip1.mp4',
        *everywhere[2:3],
    ]
    order += ['whole.tar/a/inside.mp4', 'whole.tar/b/other.mp4', everywhere[-1]]
    assert [row['video'] for row in rows] == order, 'that in which they were named'
    scores = {row['video']: row['scores'] for row in rows}
    for name in (*same, everywhere[-1]):
        assert scores[name] == pytest.approx(scores['clip0.mp4'], abs=1e-6)
    for name in other:
        assert scores[name] == pytest.approx(scores['clip1.mp4'], abs=1e-6)
    assert scores['clip0.mp4'] != pytest.approx(scores['clip1.mp4'], abs=1e-4)
    with open('a.csv', newline='') as file:
        table = list(csv.DictReader(file))
    for line, row in zip(table, rows, strict=True):
        assert line['video'] == row['video']
        assert line['pred_class'] == line['class_1'] == row['pred_class']
        assert float(line['score_1']) == row['scores'][row['pred_class']]
    assert not list(Path().glob('*.part'))
    assert not Path('work_dirs').exists()


@pytest.mark.parametrize('workers', [0, 2])
def test_batches_and_workers_do_not_change_scores(inferencer, films, tmp_path, workers):
    films(*(f'{n}.mp4' for n in range(5)))
    frames = np.random.randint(0, 255, (9, 50, 40, 3), np.uint8)
    given = [frames, tmp_path / 'films', frames[:5]]
    answers = predict_videos(inferencer, given, batch_size=3, workers=workers)
    found = {answer.source.name: answer.scores for answer in answers}
    assert len(found) == 7
    arrays = XCLIPInferencer(
        inferencer.cfg, tmp_path / 'tiny.pth', device='cpu', input_format='array'
    )
    for name, scores in found.items():
        if name.startswith('array'):
            alone = arrays(frames if name == 'array 1' else frames[:5])
        else:
            alone = inferencer(name)
        assert scores == pytest.approx(alone['predictions'][0]['scores'], abs=1e-5)


def test_words_of_a_call_and_frames_that_were_seen(inferencer, videos):
    (answer,) = predict_videos(inferencer, videos[0], ['x', 'y'], keep_frames=True)
    assert set(answer.scores) == {'x', 'y'}
    assert answer.pred_class == max(answer.scores, key=answer.scores.get)
    assert answer.frames.shape == (4, 32, 32, 3)
    assert len(inferencer.classes) == 5
    for option in ('batch_size', 'workers', 'time_limit'):
        with pytest.raises(ValueError, match=option):
            predict_videos(inferencer, videos, **{option: -1})


def test_what_has_another_size_is_not_padded_into_a_batch(
    config_file, checkpoint, videos
):
    cfg = Config.fromfile(config_file)
    steps = cfg.test_dataloader.dataset.pipeline
    steps[3:6] = [dict(type='Resize', scale=(-1, 32))]  # as wide as the videos are
    inferencer = XCLIPInferencer(cfg, checkpoint, device='cpu')
    alone = inferencer(videos[0])['predictions'][0]['scores']
    forward, sizes = inferencer.forward, []

    def noted(inputs, *args):
        sizes.append({views.shape for views in inputs['inputs']})
        return forward(inputs, *args)

    inferencer.forward = noted
    first, _ = predict_videos(inferencer, videos, batch_size=2, workers=0)
    assert first.scores == pytest.approx(alone, abs=1e-6)
    assert [len(of_batch) for of_batch in sizes] == [1, 1]


def test_a_batch_that_does_not_fit_is_scored_one_by_one(inferencer, videos):
    forward = inferencer.forward

    def too_small(inputs, *args):
        if len(inputs['inputs']) > 1:
            raise torch.OutOfMemoryError('no memory')
        return forward(inputs, *args)

    inferencer.forward = too_small
    answers = list(predict_videos(inferencer, videos, batch_size=2, workers=0))
    assert all(answer.scores for answer in answers)
    assert len(answers) == 2


@pytest.mark.slow
def test_bad_videos_cost_themselves_and_no_others(tool, model, films, capsys):
    films('a.mp4', 'crash.mp4', 'b.mp4', 'hang.mp4', 'c.mp4', 'bad.mp4', 'd.mp4')
    Path('films/bad.mp4').write_bytes(b'no video')
    given = ['films', 'gone.mp4', 'none/*.mp4', '--time-limit', 3, '--workers', 2]
    with pytest.raises(SystemExit) as end:
        tool('predict.py', *given, *model, '--json', 'a.jsonl')
    assert end.value.code == 1
    printed = capsys.readouterr().err
    rows = {row['video']: row for row in read_lines('a.jsonl')}
    assert len(rows) == 9
    good = [f'films/{name}.mp4' for name in 'abcd']
    assert [name for name, row in rows.items() if 'scores' in row] == good
    for name, reason in (
        ('films/crash.mp4', 'SIGKILL'),
        ('films/hang.mp4', '3 s'),
        ('films/bad.mp4', 'cannot be decoded'),
        ('gone.mp4', 'does not exist'),
        ('none/*.mp4', 'no video'),
    ):
        assert reason in rows[name]['error']
        assert rows[name]['error'] in printed
    Path('awake').touch()
    with pytest.raises(SystemExit):
        tool('predict.py', *given, *model, '--json', 'a.jsonl', '--resume')
    again = {row['video']: row for row in read_lines('a.jsonl')}
    assert 'scores' in again['films/hang.mp4'], 'failures are tried again'
    assert all(again[name] == rows[name] for name in good)


@pytest.fixture
def start(tool):
    """Run the tool in a process of its own."""
    processes = []

    def work(args):
        torch.set_num_threads(1)
        tool(*args)

    def run(*args):
        fork = multiprocessing.get_context('fork')
        processes.append(fork.Process(target=work, args=(args,)))
        processes[0].start()
        return processes[0]

    yield run
    for process in processes:
        process.kill()
        process.join()


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.mark.slow
@pytest.mark.parametrize('end', ['json SIGINT', 'csv SIGKILL'])
def test_an_end_loses_nothing_and_resume_goes_on(tool, start, model, films, end):
    kind, number = end.split()[0], signal.Signals[end.split()[1]]
    films('0.mp4', '1.mp4', '2.mp4', 'hang.mp4', 'x.mp4')
    given = ['predict.py', 'films', *model, f'--{kind}', 'answers', '--workers', 2]
    process = start(*given, '--time-limit', 500)
    part = Path('answers.part')
    wait_for(lambda: part.exists() and part.read_bytes().count(b'mp4') >= 3)
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert not Path('answers').exists()
    lines = part.read_bytes().splitlines()
    with part.open('ab') as file:
        file.write(lines[-1][:20])  # cut off
    with pytest.raises(SystemExit, match=r'answers\.part exists: --resume'):
        tool(*given)
    Path('awake').touch()
    Path('films/0.mp4').write_bytes(b'no video')  # is not looked at again
    tool(*given, '--resume')
    assert not part.exists()
    done = Path('answers').read_bytes().splitlines()
    assert set(lines) <= set(done)
    assert len(done) == 5 + (kind == 'csv')
    before = Path('answers').read_bytes()
    tool(*given, '--resume')
    assert Path('answers').read_bytes() == before


def test_answers_of_another_kind_are_not_gone_on_with(tool, model, films, checkpoint):
    films('0.mp4')
    given = ['predict.py', 'films', *model, '--workers', 0]
    tool(*given, '--json', 'a.jsonl', '--csv', 'a.csv')
    before = Path('a.jsonl').read_bytes()
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    weights['cls_head.logit_scale'] += 1
    torch.save(dict(state_dict=weights), 'other.pth')
    for change, reason in (
        (['--labels', 'growing, shrinking'], 'other labels'),
        (['--checkpoint', 'other.pth'], 'another model'),
        (['--top', '2'], 'other settings'),
    ):
        with pytest.raises(SystemExit, match=f'answers of {reason}'):
            tool(*given, '--json', 'a.jsonl', '--resume', *change)
    with pytest.raises(SystemExit, match=r'a\.jsonl exists'):
        tool(*given, '--json', 'a.jsonl')
    Path('a.txt').write_text('a text')
    for option in ('--json', '--csv'):
        with pytest.raises(SystemExit, match=r'a\.txt has no answers'):
            tool(*given, option, 'a.txt', '--resume')
    assert Path('a.jsonl').read_bytes() == before
    tool(*given, '--json', 'a.jsonl', '--overwrite', '--labels', 'growing, shrinking')
    assert len(read_lines('a.jsonl')[0]['scores']) == 2


def test_a_full_disk_is_told_and_leaves_whole_lines(tool, model, films, tiny_disk):
    films(*(f'{n}.mp4' for n in range(9)))
    labels = ', '.join(f'{letter} {"very " * 55}long' for letter in 'abcde')
    given = ['predict.py', 'films', *model, '--labels', labels, '--workers', 0]
    (tiny_disk / 'filler').write_bytes(bytes(2**18 - 3 * 2**12))
    file = tiny_disk / 'a.jsonl'
    with pytest.raises(SystemExit, match='No space left'):
        tool(*given, '--json', file)
    (tiny_disk / 'filler').unlink()
    assert not file.exists()
    some = file.with_name('a.jsonl.part').read_bytes().count(b'\n')
    assert 0 < some < 9
    tool(*given, '--json', file, '--resume')
    assert len(read_lines(file)) == 9


def test_wrong_files_for_answers_are_told_before_the_work(tool, model, films):
    films('0.mp4')
    for options, reason in (
        (['--json', 'films/0.mp4'], 'called as videos'),
        (['--json', 'films'], 'is a folder'),
        (['--resume'], '--json FILE'),
    ):
        with pytest.raises(SystemExit, match=reason):
            tool('predict.py', 'films', *model, *options)
