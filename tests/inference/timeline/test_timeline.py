"""Timelines of films: windows, scores, ranges."""

import sys

import numpy as np
import pytest
from mmaction.structures import ActionDataSample

from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.evaluation.range_metrics import frame_accuracy, range_f1
from mmxclip.inference import XCLIPInferencer, make_timeline
from mmxclip.inference.ranges import Range
from mmxclip.inference.windows import film_windows, open_film

CLASSES = ['archery', 'bowling', 'canoeing', 'dancing', 'eating']


@pytest.mark.slow
def test_scores_are_those_of_each_window_alone(
    inferencer, config_file, checkpoint, film
):
    alone = XCLIPInferencer(config_file, checkpoint, device='cpu', input_format='array')
    found = make_timeline(inferencer, film, window=3, stride=1.25, batch_size=3)
    with open_film(film) as opened:
        windows = list(film_windows(opened, length=3, stride=1.25))
    assert [one.start for one in found.windows] == [0, 1.25, 2.5, 3.75, 5, 6.25, 7.5]
    assert found.duration == found.windows[-1].end == 10.5
    for window, one in zip(windows, found.windows, strict=True):
        frames = np.stack(window.get_batch(range(len(window))))
        expected = alone(frames)['predictions'][0]['pred_scores']
        np.testing.assert_allclose(one.scores, expected, atol=1e-5)


def test_known_cuts_are_found(inferencer, tmp_path, monkeypatch):
    """With a model that is right about every window, by the colour of most of it."""
    colours = dict(red=(255, 0, 0), green=(0, 255, 0), blue=(0, 0, 255))
    true = [
        Range(name, start, start + 3.5, 1)
        for name, start in (('red', 0), ('blue', 3.5), ('green', 7), ('red', 10.5))
    ]
    path = tmp_path / 'colours.mp4'
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for part in true:
            for _ in range(28):
                solid = np.full((64, 64, 3), colours[part.label], np.uint8)
                video.write_image(solid)

    def forward(inputs, texts):
        shares = [views.float().mean(dim=(0, 2, 3, 4)) for views in inputs['inputs']]
        return [ActionDataSample().set_pred_score(s / s.sum()) for s in shares]

    monkeypatch.setattr(inferencer, 'forward', forward)
    found = make_timeline(inferencer, str(path), list(colours), window=2, stride=0.5)
    assert [one.label for one in found.ranges] == [one.label for one in true]
    assert range_f1(found.ranges, true, iou=0.75) == 1
    assert frame_accuracy(found.ranges, true, duration=14, fps=8) > 0.9


def test_backgrounds_take_part_and_are_left_out(inferencer, film):
    alone = make_timeline(inferencer, film, ['a', 'b'])
    beside = make_timeline(inferencer, film, ['a', 'b'], background=['nothing'])
    assert beside.labels == ['a', 'b']
    for one, other in zip(alone.windows, beside.windows, strict=True):
        assert one.scores.sum() == pytest.approx(1)
        assert other.scores.sum() < 0.999
        assert one.scores[0] / one.scores[1] == pytest.approx(
            other.scores[0] / other.scores[1], rel=1e-3
        )
    assert {one.label for one in beside.ranges} <= {'a', 'b'}


def test_a_film_shorter_than_a_window_is_one(inferencer, film):
    found = make_timeline(inferencer, film, ['a', 'b'], window=60)
    (window,) = found.windows
    assert (window.start, window.end) == (0, 10.5)


def test_windows_keep_to_shots(inferencer, tmp_path):
    pytest.importorskip('scenedetect', reason='it is the extra mmxclip[shots]')
    path = tmp_path / 'shots.mp4'
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for colour, frames in (((255, 0, 0), 30), ((0, 0, 255), 8), ((255, 0, 0), 40)):
            for _ in range(frames):
                solid = np.full((64, 64, 3), colour, np.uint8)
                video.write_image(solid)
    cut = make_timeline(inferencer, str(path), window=2, stride=2, shots=True)
    times = [(one.start, one.end) for one in cut.windows]
    assert times == [
        *((0, 2), (1.75, 3.75)),
        (3.75, 4.75),
        *((4.75, 6.75), (6.75, 8.75), (7.75, 9.75)),
    ]
    assert [one.number for one in cut.windows] == list(range(6))


def test_shots_without_their_package_name_it(inferencer, film, monkeypatch):
    monkeypatch.setitem(sys.modules, 'scenedetect', None)
    with pytest.raises(ImportError, match=r'mmxclip\[shots\]'):
        make_timeline(inferencer, film, shots=True)
