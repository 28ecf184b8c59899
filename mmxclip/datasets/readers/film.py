"""Videos of any length, read forward: each frame once, with its time."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from math import ceil
from typing import Any, NamedTuple

from mmxclip.datasets.readers.container import naming
from mmxclip.datasets.readers.decoding import IndexedFrames
from mmxclip.datasets.readers.opened_video import OpenedVideo
from mmxclip.datasets.readers.packet_index import declared_seconds


class Frame(NamedTuple):
    """A frame of a film.

    Attributes:
        time: Seconds since the first frame, to the microsecond; never descending.
        picture: PyAV's frame, which :func:`upright` makes an array of.
    """

    time: float
    picture: Any


def with_times(
    pictures: Iterable[Any], fps: float, origin: int | None = None
) -> Iterator[Frame]:
    """Give frames their times.

    Args:
        pictures: PyAV's frames in the order of decoding.
        fps: Where a frame has no time, or one before its predecessor's (streams that
            were joined start again), it follows at this rate.
        origin: Time of the film's first frame, in the unit of the frames. None: that
            of the first one here.

    Yields:
        :class:`Frame`.
    """
    step = 1 / fps if fps else 0.0
    time = -step
    for picture in pictures:
        time += step
        if picture.pts is not None:
            origin = picture.pts if origin is None else origin
            given = float((picture.pts - origin) * picture.time_base)
            time = given if given >= time - step else time
        yield Frame(round(time, 6), picture)


class Film(OpenedVideo):
    """A video that is read forward, from its start or a later time.

    Its frames are those of :class:`VideoReader`, but none is kept, and those of a file
    whose packets do not tell how many there are need not be decoded to count them.

    Args: as for :class:`OpenedVideo`.

    Attributes:
        fps: Frames per second, on average; 0 if unknown.
        duration: Seconds from the first frame to the end of the last one, as the
            container says where its packets do not tell; 0 if unknown.
        shortfall: After the last frame: None, or, where that came early, a sentence
            with the numbers.

    Raises:
        OSError: The file does not exist or cannot be read.
        VideoError: It has no video stream.

    Examples:
        >>> with Film('film.mp4') as film:  # doctest: +SKIP
        ...     for time, picture in film.frames(start=60):
        ...         print(time, picture.width)
    """

    shortfall: str | None = None

    def _look_through(self) -> None:
        self._unit = self._stream.time_base
        self._declared = declared_seconds(self._container, self._stream)
        self.duration = self._declared
        if isinstance(self._frames, IndexedFrames):
            ticks = self._frames.times[-1] - self._frames.times[0]
            self.duration = float(ticks * self._unit) + 1 / (self.fps or 1)

    def frames(self, start: float = 0.0) -> Iterator[Frame]:
        """Decode all frames from a time on.

        Args:
            start: Seconds. What lies before is passed over by key frames where the
                packets tell where these are, and decoded otherwise.

        Raises:
            VideoError: The film has no frames.
        """
        first, origin = 0, None
        if isinstance(self._frames, IndexedFrames):
            origin = self._frames.times[0]
            # Half a microsecond less, as times are rounded.
            wanted = origin + ceil((start - 5e-7) / self._unit)
            first = bisect_left(self._frames.times, wanted)
        frame = None
        with naming(self.name):
            for frame in with_times(self._pictures(first), self.fps, origin):
                if frame.time >= start:
                    yield frame
        if frame is None and not first:
            raise self._no_frames()
        end = self.duration if frame is None else frame.time
        if self._sequence.error or self._index.cut_off:
            self.shortfall = (
                f'{self.name} is damaged or cut off: {end:.1f} of '
                f'{self._declared:.1f} seconds decode{self._reason()}'
            )

    def _pictures(self, number: int) -> Iterator[Any]:
        while True:
            try:
                yield self._decode(number)
            except IndexError:
                return
            number += 1
