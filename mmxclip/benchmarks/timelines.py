"""How right timelines are, and what they cost, on films of drawn shapes."""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from mmxclip.datasets.shape_actions import FPS, MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.shape_actions.drawing import COLOURS, SHAPES
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.evaluation.range_metrics import frame_accuracy, range_f1
from mmxclip.inference import XCLIPInferencer, make_timeline
from mmxclip.inference.predict import open_inferencer
from mmxclip.inference.ranges import Range, Rules
from mmxclip.inference.timeline import WindowScorer
from mmxclip.inference.window_pipeline import WindowPipeline
from mmxclip.inference.windows import film_windows, open_film

_CLIP = 16  # frames of a motion
_WINDOWS = ((1.0, 0.25), (1.5, 0.25), (2.0, 0.25), (2.0, 0.5), (2.0, 1.0))  # strides


def make_film(
    path: Path, clips: int, seed: int, size: tuple[int, int] = (32, 32), qp: int = 14
) -> list[Range]:
    """Write a film of motions, two seconds each, no motion twice in a row.

    Args:
        path: An .mp4 file.
        clips: How many.
        seed: The same seed gives the same film.
        size: Width and height in pixels.
        qp: Of x264; higher is smaller and worse.

    Returns:
        The motions and their times.
    """
    rng = np.random.default_rng([2**20, seed])  # no clip of the data set has it
    true: list[Range] = []
    options = dict(qp=str(qp), preset='veryfast')
    with VideoWriter(path, fps=FPS, gop=_CLIP, options=options) as video:
        for number in range(clips):
            others = [m for m in MOTIONS if not true or m != true[-1].label]
            motion, colour, shape = map(rng.choice, (others, [*COLOURS], SHAPES))
            for frame in draw_clip(ShapeAction(shape, colour, motion), rng, _CLIP):
                picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
                video.write(picture.reformat(*size, format='yuv420p'))
            start = number * _CLIP / FPS
            true.append(Range(str(motion), start, start + _CLIP / FPS, 1.0))
    return true


def compare_windows(
    inferencer: XCLIPInferencer, *, films: int, clips: int
) -> Iterator[dict[str, float]]:
    """Yield the quality for windows and strides of several lengths.

    Args:
        inferencer: A model of the motions, such as the demo's.
        films: How many.
        clips: Motions of each.
    """
    rules = Rules(least=0.75)
    with tempfile.TemporaryDirectory() as folder:
        for window, stride in _WINDOWS:
            options: Any = dict(window=window, stride=stride, rules=rules)
            found = measure_quality(
                inferencer, Path(folder), films=films, clips=clips, **options
            )
            yield dict(window=window, stride=stride) | found


def compare_costs(
    config: str | None, checkpoint: str | None, size: tuple[int, int]
) -> Iterator[dict[str, float]]:
    """Yield the cost of films of a minute and of an hour, in processes of their own.

    Args:
        config: See :func:`.open_inferencer`.
        checkpoint: See there.
        size: Width and height of the films in pixels.
    """
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (1, 60):
            film = Path(folder) / f'{minutes}.mp4'
            make_film(film, 30 * minutes, seed=minutes, size=size, qp=35)
            with multiprocessing.get_context('spawn').Pool(1) as alone:
                row = alone.apply(_cost_of, (config, checkpoint, film))
            yield dict(minutes=minutes) | {k: round(v, 3) for k, v in row.items()}


def _cost_of(config: str | None, checkpoint: str | None, film: Path) -> dict:
    inferencer = open_inferencer(None, config, checkpoint, 'cpu')
    return measure_cost(inferencer, film, window=4, stride=1)


def measure_quality(
    inferencer: XCLIPInferencer, folder: Path, *, films: int, clips: int, **options: Any
) -> dict[str, float]:
    """Return frame accuracy and F1 at IoU 0.5, means over films.

    Args:
        inferencer: A model of the motions, such as the demo's.
        folder: Where the films go.
        films: How many.
        clips: Motions of each.
        **options: Of :func:`make_timeline`.
    """
    rows = []
    for seed in range(films):
        path = folder / f'{seed}.mp4'
        true = make_film(path, clips, seed)
        found = make_timeline(inferencer, str(path), list(MOTIONS), **options)
        accuracy = frame_accuracy(
            found.ranges, true, duration=true[-1].end, fps=float(FPS)
        )
        rows.append((accuracy, range_f1(found.ranges, true)))
    accuracy, f1 = np.mean(rows, axis=0)
    return dict(frame_accuracy=round(accuracy, 3), f1=round(f1, 3))


def measure_cost(
    inferencer: XCLIPInferencer, film: Path, *, window: float, stride: float
) -> dict[str, float]:
    """Time a timeline and its parts, each alone; for one process that does no more.

    Args:
        inferencer: The model.
        film: The film.
        window: Seconds.
        stride: Seconds.

    Returns:
        dict: Seconds of processor time, which other processes disturb less: for ``all``
        of a timeline, to ``decode`` the film once, to ``prepare`` all windows by the
        config's pipeline and to ``score`` them; the ``ratio`` of all to the sum of
        these; the ``memory`` that the process has had at most before and after, in MB.
    """
    scorer, prepare = WindowScorer(inferencer), WindowPipeline(inferencer.cfg)
    with open_film(str(film)) as opened:
        first = next(film_windows(opened, length=window, stride=stride))
    list(scorer([first] * 8, 8))  # warm
    before = _peak()
    seconds, found = _time(
        lambda: make_timeline(inferencer, str(film), window=window, stride=stride)
    )
    after = _peak()
    count = len(found.windows)
    with open_film(str(film)) as opened:
        decode, _ = _time(lambda: sum(1 for _ in opened.frames()))
    both, _ = _time(lambda: sum(1 for _ in scorer((first for _ in range(count)), 8)))
    alone, _ = _time(lambda: [prepare(first) for _ in range(count)] and None)
    return dict(
        windows=count,
        all=seconds,
        decode=decode,
        prepare=alone,
        score=both - alone,
        ratio=seconds / (decode + both),
        memory_before=before,
        memory_after=after,
    )


def _time(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
