"""What is seen when in a film: scores of windows, and ranges of time with a label."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.logging import print_log

from mmxclip.datasets import Film
from mmxclip.inference.ranges import Range, RangeFinder, Rules
from mmxclip.inference.shots import split_shots
from mmxclip.inference.thumbnails import Thumbnails
from mmxclip.inference.window_pipeline import Batch, WindowPipeline
from mmxclip.inference.windows import (
    Shrink,
    Window,
    count_windows,
    cut_pieces,
    film_windows,
    open_film,
)
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.text import Classes, ClassSource
from mmxclip.utils.processes import Track, untracked
from mmxclip.utils.threads import ahead


@dataclass(frozen=True)
class Scored:
    """A window of a film with its scores.

    Attributes:
        number: Of the window.
        start: Seconds since the first frame.
        end: Seconds.
        scores: Probability of each label (K, ), float32; with those of the background
            they add up to one.
    """

    number: int
    start: float
    end: float
    scores: np.ndarray


@dataclass(frozen=True)
class Timeline:
    """What :func:`make_timeline` returns.

    Attributes:
        film: The film.
        labels: The K labels.
        windows: Windows with their scores, in order.
        ranges: Ranges, in the order of their ends.
        thumbnails: Small pictures of the film, RGB (height, width, 3), in order.
        whole: Whether it goes to the end of the film, or was interrupted.
    """

    film: str
    labels: list[str]
    windows: list[Scored]
    ranges: list[Range]
    thumbnails: list[np.ndarray]
    whole: bool = True

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.windows[-1].end


class TimelineInterruptError(KeyboardInterrupt):
    """Ctrl-C, with what was found until then.

    Attributes:
        timeline: Of the windows that were scored; in several processes, by this one.
    """

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(
            f'stopped at {timeline.duration:.1f} s of {timeline.film}; what was seen '
            'until there is kept'
        )
        self.timeline = timeline


class WindowScorer:
    """Scores windows as the inferencer would score each as a video of its own.

    Args:
        inferencer: The model; of :class:`XCLIPInferencer` for videos.
        labels: Class names, see there. Default: its own.
        background: Further texts, for what is none of the labels: they take part in the
            comparison and are left out of the scores.

    Attributes:
        labels: The K labels.
        prepare: What prepares windows, which may be in another thread.

    Raises:
        ValueError: A text is both, or they are no class names.
    """

    def __init__(
        self,
        inferencer: XCLIPInferencer,
        labels: ClassSource | None = None,
        background: ClassSource = (),
    ) -> None:
        classes = inferencer.classes if labels is None else Classes.of(labels)
        self.labels = list(classes)
        self.prepare = WindowPipeline(inferencer.cfg)
        self._collate = inferencer.collate_fn
        if background:
            classes += Classes.of(background)
        texts = inferencer.model.cls_head.make_texts(classes)
        self._predict = partial(inferencer.forward, texts=texts)

    def __call__(self, windows: Iterable[Window], batch_size: int) -> Iterator[Scored]:
        """Score windows, some at once."""
        return self.score(self.prepare.batches(windows, batch_size))

    def score(self, batches: Iterable[Batch]) -> Iterator[Scored]:
        """Score windows that are prepared."""
        for places, samples in batches:
            predictions = self._predict(self._collate(samples))
            for place, prediction in zip(places, predictions, strict=True):
                scores = prediction.pred_score[: len(self.labels)].cpu().numpy()
                yield Scored(*place, scores)


def make_timeline(
    inferencer: XCLIPInferencer,
    film: str,
    labels: ClassSource | None = None,
    *,
    window: float = 4.0,
    stride: float = 1.0,
    background: ClassSource = (),
    rules: Rules = Rules(),  # noqa: B008 (frozen)
    shots: bool = False,
    batch_size: int = 8,
    track: Track = untracked,
) -> Timeline:
    """Find out what is seen when in a film.

    In processes that torchrun has started, each takes a part of the film, and all
    return the whole timeline.

    Args:
        inferencer: The model.
        film: The film.
        labels: Class names. Default: those of the inferencer.
        window: Seconds that the model sees at once.
        stride: Seconds from the start of one window to that of the next.
        background: Texts for what is none of the labels.
        rules: When something counts as seen.
        shots: Whether windows keep to shots; needs PySceneDetect.
        batch_size: Windows that go through the model at once.
        track: Gets the windows as they are scored, and their number, such as
            :func:`with_progress`.

    Raises:
        OSError: The film cannot be read.
        VideoError: It is no video.
        ValueError: Labels or settings are wrong.
        ImportError: ``shots`` without PySceneDetect.
        TimelineInterruptError: Ctrl-C was pressed; it has what was found until then.

    Examples:
        >>> timeline = make_timeline(  # doctest: +SKIP
        ...     inferencer, 'film.mp4', ['a dog runs', 'a cat sleeps']
        ... )
        >>> timeline.ranges  # doctest: +SKIP
        [Range(label='a dog runs', start=3.5, end=12.0, score=0.91)]
    """
    scorer = WindowScorer(inferencer, labels, background)
    finder = RangeFinder(scorer.labels, rules, gap=max(stride - window, 0))
    thumbnails, scored = Thumbnails(), []
    try:
        with open_film(film) as opened:
            cut = dict(length=window, stride=stride)
            windows, count = _windows_of(opened, shots, cut, scorer.prepare.shrink)
            batches = scorer.prepare.batches(_seen(windows, thumbnails), batch_size)
            with closing(ahead(batches)) as prepared:
                found: Iterable[Scored] = scorer.score(prepared)
                for one in track(found, count):
                    scored.append(one)
            if opened.shortfall:
                print_log(opened.shortfall, logger='current', level=logging.WARNING)
        parts = all_gather_object((scored, thumbnails.pictures))
    except KeyboardInterrupt:
        if not scored:
            raise
        part = _join(film, finder, [(scored, thumbnails.pictures)], whole=False)
        raise TimelineInterruptError(part) from None
    return _join(film, finder, parts, whole=True)


def _join(film: str, finder: RangeFinder, parts: list[Any], whole: bool) -> Timeline:
    """Make a timeline of what the processes have found."""
    found = [one for part, _ in parts for one in part]
    pictures = {number: one for _, part in parts for number, one in part.items()}
    ranges = [r for one in found for r in finder.add(one.start, one.end, one.scores)]
    return Timeline(
        film=film,
        labels=list(finder.labels),
        windows=found,
        ranges=ranges + finder.finish(),
        thumbnails=[pictures[number] for number in sorted(pictures)],
        whole=whole,
    )


def _windows_of(
    film: Film, shots: bool, cut: Mapping[str, float], shrink: Shrink | None
) -> tuple[Iterator[Window], int]:
    """Return this process's windows, and about how many they are."""
    rank, processes = get_dist_info()
    count = count_windows(film, **cut)
    if shots:
        if processes > 1:
            raise ValueError('shots are found by one process; leave out one of both')
        pieces = split_shots(film.frames(), film.fps)
        return cut_pieces(pieces, name=film.name, shrink=shrink, **cut), count
    first, last = (count * r // processes for r in (rank, rank + 1))
    end = None if rank == processes - 1 else last  # there may be more than was said
    windows = film_windows(film, first=first, last=end, shrink=shrink, **cut)
    return windows, last - first


def _seen(windows: Iterable[Window], thumbnails: Thumbnails) -> Iterator[Window]:
    for window in windows:
        thumbnails.look_at(window)
        yield window
