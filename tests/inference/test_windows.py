"""Windows of a film are those of its times, and what the pipeline makes of them."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmxclip.datasets import Frame
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.window_pipeline import WindowPipeline
from mmxclip.inference.windows import (
    count_windows,
    cut_windows,
    film_windows,
    open_film,
)


def write_film(path, times):
    """Encode noise shown at the given seconds."""
    rng = np.random.default_rng(0)
    with VideoWriter(path, fps=25, gop=10, options=dict(qp='20')) as video:
        for time in times:
            frame = rng.integers(0, 255, (32, 48, 3), dtype=np.uint8)
            video.write_image(frame, time)
    return str(path)


def regular(fps, count):
    return [Fraction(i) / fps for i in range(count)]


TIMES = {
    'regular': regular(Fraction(25), 120),
    'ntsc': regular(Fraction(30000, 1001), 100),
    'thirds': regular(Fraction(30), 91),
    'exact': regular(Fraction(8), 32),
    'short': regular(Fraction(25), 12),
    'one': [Fraction(0)],
    'paused': [*regular(Fraction(25), 50), *(7 + t for t in regular(Fraction(10), 30))],
}


@pytest.fixture(params=TIMES)
def film(request, tmp_path):
    path = write_film(tmp_path / 'film.mp4', TIMES[request.param])
    return path, [float(time) for time in TIMES[request.param]]


def windows_of(path, **kwargs):
    with open_film(path) as opened:
        yield from film_windows(opened, **kwargs)


@pytest.mark.slow
@pytest.mark.parametrize(('length', 'stride'), [(1, 0.3), (1, 1), (0.5, 1.2), (2, 0.1)])
def test_windows_have_the_frames_of_their_times(film, length, stride):
    path, times = film
    seen = []
    for window in windows_of(path, length=length, stride=stride):
        got = [frame.time for frame in window.frames]
        expected = [t for t in times if window.start - 1e-5 <= t < window.end - 1e-5]
        assert got == pytest.approx(expected, abs=1e-5)
        assert got
        if got[-1] < times[-1] - 1e-5:
            assert window.start == pytest.approx(window.number * stride)
            assert window.end == pytest.approx(window.start + length)
        seen += got
    assert got[-1] == pytest.approx(times[-1]), 'the tail is there'
    assert window.end - window.start == pytest.approx(
        length if times[-1] > length else window.end, abs=1e-3
    )
    if stride <= length:
        assert sorted(set(seen)) == pytest.approx(times, abs=1e-5), 'all frames are'


@pytest.mark.slow
def test_several_processes_share_a_film(film):
    path, _ = film
    for cut in (dict(length=1, stride=0.3), dict(length=1, stride=1.5)):
        alone = [(w.number, w.start, w.end, len(w)) for w in windows_of(path, **cut)]
        for processes in (2, 3, 50):
            together = []
            for rank in range(processes):
                with open_film(path) as opened:
                    count = count_windows(opened, **cut)
                    first, last = (count * r // processes for r in (rank, rank + 1))
                    last = None if rank == processes - 1 else last
                    part = film_windows(opened, **cut, first=first, last=last)
                    together += [(w.number, w.start, w.end, len(w)) for w in part]
            assert together == alone


def test_a_frame_is_decoded_once(tmp_path):
    path = write_film(tmp_path / 'film.mp4', TIMES['regular'])
    windows = windows_of(path, length=2, stride=0.5)
    one, other = next(windows), next(windows)
    shared = [a for a in one.frames if any(a is b for b in other.frames)]
    assert len(shared) == 50 - 13


@pytest.mark.slow
def test_a_window_is_prepared_as_a_video_of_its_own(config_file, checkpoint, film):
    path, _ = film
    prepare = WindowPipeline(Config.fromfile(config_file))
    alone = XCLIPInferencer(config_file, checkpoint, device='cpu', input_format='array')
    cut = dict(length=1.5, stride=1)
    shrunk = windows_of(path, **cut, shrink=prepare.shrink)
    for window, small in zip(windows_of(path, **cut), shrunk, strict=True):
        frames = np.stack(window.get_batch(range(len(window))))
        expected = alone.pipeline(frames)['inputs']
        assert torch.equal(prepare(window)['inputs'], expected)
        assert torch.equal(prepare(small)['inputs'], expected)


def test_long_windows_of_large_frames_fit_into_memory(config_file):
    prepare = WindowPipeline(Config.fromfile(config_file))
    frames = [Frame(i / 25, av.VideoFrame(640, 360, 'yuv420p')) for i in range(1500)]
    size = 640 * 360 * 1.5
    cut = dict(length=60, stride=60, name='film')
    (window,) = cut_windows(iter(frames), **cut, shrink=prepare.shrink)
    kept = [f for f in window.frames if isinstance(f.picture, av.VideoFrame)]
    assert len(window) * size > 2**28 >= len(kept) * size


def test_wrong_lengths_are_told(tmp_path):
    path = write_film(tmp_path / 'film.mp4', TIMES['short'])
    for wrong in (dict(length=0, stride=1), dict(length=4, stride=-1)):
        with pytest.raises(ValueError, match='above 0'):
            next(windows_of(path, **wrong))
