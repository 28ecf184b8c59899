"""A video file that is open, whatever is read of it."""

import os
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from typing import Any, BinaryIO

from mmxclip.datasets.readers.container import VideoError, naming, open_video
from mmxclip.datasets.readers.decoding import (
    ContradictionError,
    IndexedFrames,
    SequentialFrames,
)
from mmxclip.datasets.readers.packet_index import declared_frames, index_packets


class OpenedVideo(AbstractContextManager):
    """What readers of a video share: the file, and its frames by number.

    A child overrides :meth:`_look_through` for what it must know of the file; what is
    open is closed where that fails.

    Args:
        source: Path of the file, or a binary file object that can seek, which is
            closed with the reader.
        num_threads: Threads of the decoder. Two help where one video is read at a
            time; in several data loader workers one is best.
        name: What errors call the file. Default: its path.

    Attributes:
        fps: Frames per second, on average; 0 if unknown.

    Raises:
        OSError: The file does not exist or cannot be read.
        VideoError: It has no video stream.
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
        # Several threads conceal damage in another way.
        self._sequence = SequentialFrames(partial(open_video, source, self.name, 1))
        self._frames: Any = self._sequence
        with ExitStack() as undo, naming(self.name):
            undo.callback(self.close)
            self._container, self._stream = open_video(source, self.name, num_threads)
            self._closable.append(self._container)
            self.fps = float(self._stream.average_rate or 0)
            self._index = index_packets(self._container, self._stream)
            if self._index.times:
                with suppress(ContradictionError):
                    self._frames = IndexedFrames(
                        self._container, self._stream, self._index
                    )
            self._look_through()
            undo.pop_all()

    def close(self) -> None:
        """Close the file; frames cannot be read any more."""
        self._frames = ()
        while self._closable:
            self._closable.pop().close()

    __del__ = close

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_through(self) -> None:
        """Learn what the reader tells of the file."""

    def _decode(self, number: int) -> Any:
        """Return PyAV's frame of a number; an IndexError where there is none."""
        try:
            return self._frames[number]
        except ContradictionError:
            self._frames = self._sequence
            return self._frames[number]

    def _compare(self, count: int) -> str | None:
        """Say of how many frames a number of them was decoded, if some lack."""
        declared = declared_frames(self._container, self._stream, self._index)
        if not self._sequence.error and count >= declared:
            return None
        of = f' of {declared}' if declared else ''
        return f'{count}{of} frames decode{self._reason()}'

    def _reason(self) -> str:
        return f' ({self._sequence.error})' if self._sequence.error else ''

    def _no_frames(self) -> VideoError:
        reason = self._sequence.error or 'its packets give no frames'
        return VideoError(f'{self.name} cannot be decoded: {reason}')
