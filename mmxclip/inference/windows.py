"""Films as windows of a few seconds, each prepared as a video of its own.

The engine of everything that looks at a film piece by piece::

    prepare = WindowPipeline(inferencer.cfg)  # of window_pipeline.py
    with open_film('film.mp4') as film:
        windows = film_windows(film, length=4, stride=1, shrink=prepare.shrink)
        for places, samples in prepare.batches(windows, 8):
            print(places, samples[0]['inputs'].shape)  # (views, 3, T, H, W)

Samples of several windows are collated and go to the model as those of any test. A film
is decoded once, and only the frames of one window are kept. Windows have numbers that
depend on nothing but the film's times, length and stride, so that several processes
share a film by ranges of numbers (:func:`count_windows`), or one goes on where another
has stopped (``first``).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, TypeAlias

import numpy as np

from mmxclip.datasets import Film, Frame, VideoInit, upright

Shrink: TypeAlias = Callable[[Any], np.ndarray]  # makes a small array of PyAV's frame
_NO_END = 2**62
_BYTES = 2**28  # of frames that are kept as the decoder gives them


class SharedFrame:
    """A frame of several windows, made small when one needs it, once for all.

    Args:
        frame: As it is decoded.
        shrink: Makes it small. None: it stays as it is.

    Attributes:
        time: Seconds since the first frame.
        picture: PyAV's frame, or what ``shrink`` has made of it.
        shrink: It.
    """

    def __init__(self, frame: Frame, shrink: Shrink | None) -> None:
        self.time, self.picture = frame
        self.shrink = shrink

    def array(self) -> np.ndarray:
        """Return it upright, RGB uint8 (height, width, 3)."""
        picture = self.picture
        if isinstance(picture, np.ndarray):
            return picture
        if self.shrink is None:
            return upright(picture)
        self.picture = self.shrink(picture)
        return self.picture


@dataclass(frozen=True)
class Window:
    """Some seconds of a film, to the steps of a pipeline what an opened video is.

    Attributes:
        number: From 0. Where a film shows no new frame for longer than a window,
            numbers are left out.
        start: Seconds since the film's first frame.
        end: Seconds; a window has the frames of times in [start, end).
        frames: These frames.
        name: What errors call the film.
    """

    number: int
    start: float
    end: float
    frames: Sequence[SharedFrame]
    name: str

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def fps(self) -> float:
        """Frames per second in this window; 0 if it has one frame or none."""
        seconds = self.frames[-1].time - self.frames[0].time
        return (len(self.frames) - 1) / seconds if seconds else 0.0

    def get_batch(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Return frames by their numbers in the window, RGB (height, width, 3)."""
        return [self.frames[int(i)].array() for i in indices]


def open_film(path: str) -> Film:
    """Open a film wherever videos may lie: a file, a member of an archive, http.

    Raises:
        OSError: The film cannot be read.
        VideoError: It is no video.
    """
    return VideoInit(num_threads=2).film(path)


def film_windows(
    film: Film,
    *,
    length: float,
    stride: float,
    first: int = 0,
    last: int | None = None,
    shrink: Shrink | None = None,
) -> Iterator[Window]:
    """Cut a film into windows, see :func:`cut_windows`; decode no more than they need.

    Args:
        film: The film.
        length: See :func:`cut_windows`.
        stride: See there.
        first: See there.
        last: See there.
        shrink: See there.
    """
    # From one window earlier on, as the last one of the film starts between two.
    return cut_windows(
        film.frames(max(first - 1, 0) * stride),
        length=length,
        stride=stride,
        name=film.name,
        first=first,
        last=last,
        shrink=shrink,
    )


def cut_windows(
    frames: Iterable[Frame],
    *,
    length: float,
    stride: float,
    name: str,
    first: int = 0,
    last: int | None = None,
    shrink: Shrink | None = None,
) -> Iterator[Window]:
    """Cut frames that come one by one into windows, each as soon as it is whole.

    Window ``n`` has the frames of times in ``[n * stride, n * stride + length)``. The
    last one ends with the film, if there is more of it behind the last whole window;
    it is shorter than the others if the film is.

    Args:
        frames: Frames in the order of their times.
        length: Seconds of a window.
        stride: Seconds from the start of one to that of the next.
        name: What errors call the film.
        first: Number of the first window that is wanted; frames may be left out that
            are older than one stride before it.
        last: Number of the first that is wanted no more. Default: none.
        shrink: :attr:`WindowPipeline.shrink`: frames that two windows need are made
            small once, and all where they would take more than 256 MB together.

    Yields:
        Windows, in order, without those that have no frame.

    Raises:
        ValueError: Length or stride is not positive.
    """
    check_seconds('window', length)
    check_seconds('stride', stride)
    numbers = range(first, _NO_END if last is None else last)
    shared = (SharedFrame(frame, shrink) for frame in frames)
    return _cut(shared, length, stride, name, numbers)


def _cut(
    frames: Iterable[SharedFrame],
    length: float,
    stride: float,
    name: str,
    numbers: range,
) -> Iterator[Window]:
    kept: deque[SharedFrame] = deque()  # all that a later window may have
    number, room = numbers.start, 0
    start, end = _seconds(number * stride), _seconds(number * stride + length)
    for frame in frames:
        time = frame.time
        while time >= end and number in numbers:
            inside = [old for old in kept if start <= old.time < end]
            if inside:
                yield Window(number, start, end, inside, name)
            number += 1
            start, end = _seconds(number * stride), _seconds(number * stride + length)
        if number not in numbers:
            return
        room = room if kept else _room(frame)
        kept.append(frame)
        if len(kept) > room:
            kept[-1 - room].array()
        oldest = min(start, time - length) - 1e-6  # as times are rounded
        while kept[0].time < oldest:
            kept.popleft()
    whole = (number - 1) * stride + length if number else 0.0  # ends the last one
    if number in numbers and kept and kept[-1].time >= _seconds(whole):
        newest = kept[-1].time
        end = _seconds(newest + (newest - kept[-2].time if len(kept) > 1 else 0.001))
        # Rounded down, so that rounded times cannot keep out the frame it starts with.
        start = max(floor((end - length) * 1e4) / 1e4, 0.0)
        inside = [old for old in kept if start <= old.time]
        yield Window(number, start, end, inside, name)


def _room(frame: SharedFrame) -> int:
    """Return how many frames of this size may be kept as they are decoded."""
    if frame.shrink is None:
        return _NO_END
    return _BYTES // sum(plane.buffer_size for plane in frame.picture.planes)


def cut_pieces(
    pieces: Iterable[tuple[float, Iterable[Frame]]], **options: Any
) -> Iterator[Window]:
    """Cut pieces of a film, each as a film of its own: no window lies in two.

    Args:
        pieces: Start of each in seconds, and its frames.
        **options: Of :func:`cut_windows`.

    Yields:
        Windows, numbered through.
    """
    number = 0
    for start, frames in pieces:
        moved = (Frame(_seconds(time - start), picture) for time, picture in frames)
        for window in cut_windows(moved, **options):
            begin, end = _seconds(window.start + start), _seconds(window.end + start)
            yield replace(window, number=number, start=begin, end=end)
            number += 1


def check_seconds(name: str, seconds: float) -> None:
    """Raise a ValueError unless a number is a time above 0 in seconds."""
    if not 1e-3 <= seconds < 1e6:
        raise ValueError(f'{name} must be a time above 0 in seconds, got {seconds}')


def count_windows(film: Film, *, length: float, stride: float) -> int:
    """Return how many windows a film should have, as far as it tells its duration.

    Processes share a film by this number: the last one takes all from its part on.

    Args:
        film: The film.
        length: Seconds of a window.
        stride: Seconds from the start of one to that of the next.
    """
    return ceil(max(film.duration - length, 0) / stride) + 1


def _seconds(time: float) -> float:
    """Round as the times of frames are, so that both can be equal."""
    return round(time, 6)
