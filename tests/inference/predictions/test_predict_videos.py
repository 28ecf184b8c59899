"""Many videos: of any kind, in batches."""

import csv
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmxclip.inference import XCLIPInferencer, predict_videos


def test_videos_of_any_kind_in_one_run(tool, model, everywhere):
    tool('predict.py', *everywhere, *model, '--json', 'a.jsonl', '--csv', 'a.csv')
    rows = [json.loads(line) for line in Path('a.jsonl').read_text().splitlines()]
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


@pytest.fixture
def _spawn():
    """Processes start as on macOS and Windows: without what this one has imported."""
    method = multiprocessing.get_start_method()
    multiprocessing.set_start_method('spawn', force=True)
    yield
    multiprocessing.set_start_method(method, force=True)


@pytest.mark.slow
@pytest.mark.usefixtures('_spawn')
def test_processes_that_are_no_forks_have_the_steps_of_the_config(
    config_file, checkpoint, videos, tmp_path, monkeypatch
):
    (tmp_path / 'own_steps.py').write_text(
        'from mmaction.registry import TRANSFORMS\n'
        'from mmxclip.datasets import VideoInit\n'
        '@TRANSFORMS.register_module()\n'
        'class OwnInit(VideoInit):\n'
        '    """The same, of a user."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    cfg = Config.fromfile(config_file)
    cfg.custom_imports.imports.append('own_steps')
    cfg.test_dataloader.dataset.pipeline[0].type = 'OwnInit'
    cfg.dump(config_file)
    inferencer = XCLIPInferencer(config_file, checkpoint, device='cpu')
    (here,) = predict_videos(inferencer, videos[0], workers=0)
    (there,) = predict_videos(inferencer, videos[0], workers=1)
    assert there.scores == pytest.approx(here.scores, abs=1e-6)
