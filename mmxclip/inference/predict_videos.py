"""Predictions for any number of videos, as they come."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from mmxclip.inference.preparing import Prepared, Preparer, one_line
from mmxclip.inference.sources import Given, Source, find_sources
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.models import ClassTexts
from mmxclip.text import ClassSource
from mmxclip.utils.checks import check_count
from mmxclip.utils.processes import Lost, map_isolated

_Ready = tuple[Source, Prepared]

_MOST = 8  # videos of a batch, and bytes of their frames, where no number is given
_BYTES, _BYTES_ON_GPU = 2**24, 2**27
_TICK = 0.05  # seconds


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model says of a video.

    Attributes:
        source: The video.
        scores: Class -> probability, best first; empty where there is an error.
        error: In one line, why there are no scores.
        frames: Those that the model saw in the first view, uint8 (T, H, W, 3), if kept.
    """

    source: Source
    scores: dict[str, float] = field(default_factory=dict)
    error: str = ''
    frames: np.ndarray | None = None

    @property
    def pred_class(self) -> str:
        """The best class."""
        return next(iter(self.scores), '')


def predict_videos(
    inferencer: XCLIPInferencer,
    videos: Given | Iterable[Given],
    classes: ClassSource | None = None,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    time_limit: float | None = 600.0,
    keep_frames: bool = False,
) -> Generator[Answer, None, None]:
    """Name the action in videos; each costs what it costs alone, and fails alone.

    Processes decode while the model computes. Scores are those of
    ``inferencer(video)``.

    Args:
        inferencer: The model.
        videos: See :func:`find_sources`.
        classes: Class names. Default: those of the inferencer.
        batch_size: Videos that go through the model at once. Default: 8, or fewer, if
            the frames of all their views would be more than 16 MB, on a GPU 128 MB. 1
            where the model cuts the views of one into pieces.
        workers: Processes that decode; unlike those of a data loader, one that a video
            crashes or hangs costs no other video. Default: one for each core, 8 at
            most. 0: none, and no time limit.
        time_limit: Seconds that one video may take to decode; None: any time.
        keep_frames: Whether answers have the frames that the model saw.

    Yields:
        An :class:`Answer` for each video, about in the order in which they are named.

    Raises:
        ValueError: Class names or numbers are wrong.
        ImportError: A decoder of the config is not installed.

    Examples:
        >>> for answer in predict_videos(  # doctest: +SKIP
        ...     inferencer, ['films/', 'http://...'], ['a dog runs', 'a cat sleeps']
        ... ):
        ...     print(answer.source.name, answer.pred_class or answer.error)
    """
    workers = min(_cores(), 8) if workers is None else workers
    check_count('workers', workers, lowest=0)
    if batch_size is not None:
        check_count('batch_size', batch_size)
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f'time_limit must be above 0 seconds, got {time_limit}')
    if (inferencer.model.test_cfg or {}).get('max_testing_views'):
        batch_size = 1
    on_gpu = next(inferencer.model.parameters()).is_cuda
    most_bytes = _BYTES_ON_GPU if on_gpu else _BYTES

    def size_for(frames: np.ndarray) -> int:
        return batch_size or min(max(most_bytes // frames.nbytes, 1), _MOST)

    score = partial(_score, inferencer, inferencer.texts(classes), keep_frames)
    preparer = Preparer(inferencer.cfg, num_threads=1 if workers > 1 else 2)
    prepared = _prepare(preparer, find_sources(videos), workers, time_limit)
    return _stream(score, prepared, size_for)


def _cores() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _stream(
    score: Callable[[list[_Ready]], list[Answer]],
    prepared: Generator[_Ready | Answer | None, None, None],
    size_for: Callable[[np.ndarray], int],
) -> Generator[Answer, None, None]:
    """Score batches of samples of one shape; hand on what needs no model.

    A batch that is not full is scored when nothing comes and the model is idle: no
    answer waits for a video that takes long.
    """
    batch: list[_Ready] = []
    with closing(prepared), _Background(score) as model:
        for one in prepared:
            if isinstance(one, Answer):
                yield one
            elif one is not None:
                # Others would be padded, and seen so by the model.
                if batch and batch[0][1].inputs.shape != one[1].inputs.shape:
                    yield from model.exchange(batch)
                    batch = []
                batch.append(one)
            if model.is_idle():
                yield from model.answers()
            idle = one is None and model.is_idle()
            if batch and (idle or len(batch) >= size_for(batch[0][1].inputs)):
                yield from model.exchange(batch)
                batch = []
        if batch:
            yield from model.exchange(batch)
        yield from model.answers()


class _Background(AbstractContextManager):
    """A thread that scores one batch while the next is put together."""

    def __init__(self, score: Callable[[list[_Ready]], list[Answer]]) -> None:
        self._score = score
        self._thread = ThreadPoolExecutor(1)
        self._running: Future[list[Answer]] | None = None

    def __enter__(self) -> '_Background':
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def is_idle(self) -> bool:
        return self._running is None or self._running.done()

    def answers(self) -> list[Answer]:
        """Wait for the answers to the last batch, and return them once."""
        running, self._running = self._running, None
        return running.result() if running else []

    def exchange(self, batch: list[_Ready]) -> list[Answer]:
        """Start with a batch as soon as the last one is done; return its answers."""
        answers = self.answers()
        self._running = self._thread.submit(self._score, batch)
        return answers


def _prepare(
    preparer: Preparer,
    sources: Iterator[Source],
    workers: int,
    time_limit: float | None,
) -> Generator[_Ready | Answer | None, None, None]:
    """Decode videos in processes; yield samples as they come, errors, or ticks."""
    waiting: dict[int, Source] = {}

    def taken() -> Iterator[Source]:
        for place, source in enumerate(sources):
            waiting[place] = source
            yield source

    results: Iterable[tuple[int, Prepared | str | Lost | None]]
    if workers:
        results = map_isolated(
            preparer, taken(), workers=workers, time_limit=time_limit, tick=_TICK
        )
    else:
        results = enumerate(map(preparer, taken()))
    for place, result in results:
        if result is None:
            yield None
            continue
        source = waiting.pop(place)
        if isinstance(result, Prepared):
            yield source, result
        elif isinstance(result, Lost):
            yield Answer(source, error=f'{source.name}: its decoder {result.reason}')
        else:
            yield Answer(source, error=result)


def _score(
    inferencer: XCLIPInferencer,
    texts: ClassTexts,
    keep_frames: bool,
    batch: list[_Ready],
) -> list[Answer]:
    """Score videos at once, and where that fails, one by one."""
    try:
        collated = inferencer.collate_fn([ready.sample() for _, ready in batch])
        predictions = inferencer.forward(collated, texts, keep_frames)
    except (RuntimeError, ValueError) as error:  # such as memory that is too small
        if len(batch) > 1:
            parts = (_score(inferencer, texts, keep_frames, [one]) for one in batch)
            return [answer for part in parts for answer in part]
        source = batch[0][0]
        return [Answer(source, error=one_line(error, source.name))]
    return [
        Answer(
            source,
            inferencer.pred2dict(prediction)['scores'],
            frames=prediction.get('frames'),
        )
        for (source, _), prediction in zip(batch, predictions, strict=True)
    ]
