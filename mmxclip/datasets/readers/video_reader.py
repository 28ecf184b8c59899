"""Frames of video files by their numbers, equal to those of sequential decoding.

Frame ``n`` is by definition the one that comes ``n``-th when the video stream is
decoded from its start to its end, or to its first error. Decoding from a key frame is a
short cut to the same pictures, taken only where the packets tell the number of every
frame, and given up where what is decoded contradicts them.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from mmxclip.datasets.readers.container import VideoError, naming, open_video
from mmxclip.datasets.readers.decoding import (
    ContradictionError,
    IndexedFrames,
    SequentialFrames,
)
from mmxclip.datasets.readers.packet_index import (
    PacketIndex,
    declared_frames,
    index_packets,
)
from mmxclip.datasets.readers.upright import Upright

_KEPT_BYTES = 2**26  # of decoded frames, where all must be decoded to count them


class VideoReader:
    """A video file as a sequence of frames.

    Rotation from the metadata is applied. Files are read where they lie, without a
    copy in memory. A reader belongs to one thread and one process.

    Args:
        source: Path of the file, or a binary file object that can seek, which is
            closed with the reader.
        num_threads: Threads of the decoder. Two help where one video is read at a
            time; in several data loader workers one is best.
        name: What errors call the file. Default: its path.

    Attributes:
        fps: Frames per second, on average; 0 if unknown.
        shortfall: None, or, where less can be decoded than the container says, a
            sentence with both numbers.

    Raises:
        OSError: The file does not exist or cannot be read.
        VideoError: It has no video stream, or none of its frames can be decoded.

    Examples:
        >>> with VideoReader('clip.mp4') as video:  # doctest: +SKIP
        ...     first, last = video.get_batch([0, len(video) - 1])
    """

    def __init__(
        self,
        source: str | os.PathLike | BinaryIO,
        *,
        num_threads: int = 1,
        name: str | None = None,
    ) -> None:
        self.name = name or str(source)
        self._closable = [] if isinstance(source, (str, os.PathLike)) else [source]
        self._upright = Upright()
        # Several threads conceal damage in another way.
        self._sequence = SequentialFrames(partial(open_video, source, self.name, 1))
        with ExitStack() as undo, naming(self.name):
            undo.callback(self.close)
            self._container, self._stream = open_video(source, self.name, num_threads)
            self._closable.append(self._container)
            self.fps = float(self._stream.average_rate or 0)
            index = index_packets(self._container, self._stream)
            self._frames, times = self._find(index)
            self._length = len(times)
            self.shortfall = self._compare(times, index)
            undo.pop_all()

    def __len__(self) -> int:
        return self._length

    def get_batch(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Decode frames by their numbers.

        Args:
            indices: Numbers from 0 in any order. A call with higher numbers than the
                last one goes on where that ended.

        Returns:
            RGB frames, uint8 (height, width, 3), in the given order; one array for
            what is asked for twice.

        Raises:
            IndexError: There is no such frame.
            VideoError: It cannot be decoded.
        """
        frames: dict[int, np.ndarray] = {}
        for number in sorted({int(i) for i in indices}):
            if not 0 <= number < self._length:
                raise IndexError(f'{self.name}: no frame {number} of {self._length}')
            with naming(self.name):
                frames[number] = self._upright(self._decode(number))
        return [frames[int(i)] for i in indices]

    def close(self) -> None:
        """Close the file; frames cannot be read any more."""
        self._frames = []
        while self._closable:
            self._closable.pop().close()

    __del__ = close

    def __enter__(self) -> 'VideoReader':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _find(self, index: PacketIndex) -> tuple[Any, list]:
        """What gives frames by their numbers, and the times of all of them."""
        if index.times:
            with suppress(ContradictionError):
                indexed = IndexedFrames(self._container, self._stream, index)
                return indexed, indexed.times
        times, kept, size = [], [], 0
        for frame in self._sequence:
            times.append(frame.pts)
            size += sum(plane.buffer_size for plane in frame.planes)
            if size <= _KEPT_BYTES:
                kept.append(frame)
            else:
                kept.clear()
        if not times:
            reason = self._sequence.error or 'its packets give no frames'
            raise VideoError(f'{self.name} cannot be decoded: {reason}')
        return kept or self._sequence, times

    def _compare(self, times: list, index: PacketIndex) -> str | None:
        """Say what is missing of what the container declares."""
        end = len(times) / (self.fps or 1)
        known = [time for time in times if time is not None]
        if known:
            end = max(end, max(known) * float(self._stream.time_base))
        declared = declared_frames(self._container, self._stream, index, end)
        if not self._sequence.error and len(times) >= declared:
            return None
        numbers = f'{len(times)} of {declared}' if declared else f'{len(times)}'
        reason = f' ({self._sequence.error})' if self._sequence.error else ''
        return f'{self.name} is damaged or cut off: {numbers} frames decode{reason}'

    def _decode(self, number: int) -> Any:
        try:
            try:
                return self._frames[number]
            except ContradictionError:
                self._frames = self._sequence
                return self._frames[number]
        except IndexError as error:
            raise VideoError(
                f'{self.name}: frame {number} of {self._length} cannot be decoded'
            ) from error
