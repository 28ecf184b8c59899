"""All frames of a video, and how many there should have been."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from mmxclip.datasets.readers.container import VideoError, naming, open_video
from mmxclip.datasets.readers.decoding import SequentialFrames
from mmxclip.datasets.readers.packet_index import declared_frames, index_packets


class WholeVideo:
    """Frames of a video from the first to the last that can be decoded.

    Args:
        source: Path of the file, or a binary file object that can seek.
        name: What errors call the file. Default: its path.

    Attributes:
        fps: Frames per second, on average; 0 if unknown.
        count: Frames that were decoded so far.

    Raises:
        OSError: The file does not exist or cannot be read.
        VideoError: It has no video stream; on iteration: it has no frames.
    """

    def __init__(
        self, source: str | os.PathLike | BinaryIO, name: str | None = None
    ) -> None:
        is_path = isinstance(source, (str, os.PathLike))
        self.name = name or str(source if is_path else getattr(source, 'name', source))
        self._open = partial(open_video, source, self.name, 1)
        self._frames = SequentialFrames(self._open)
        self._end = 0.0
        self.count = 0
        with naming(self.name):
            container, stream = self._open()
            self.fps = float(stream.average_rate or 0)
            container.close()

    def __iter__(self) -> Iterator[Any]:
        """Decode PyAV's frames; they are not turned as the metadata say."""
        self.count = 0
        with naming(self.name):
            for frame in self._frames:
                self.count += 1
                self._end = max(self._end, frame.time or self.count / (self.fps or 1))
                yield frame
        if not self.count:
            reason = self._frames.error or 'its packets give no frames'
            raise VideoError(f'{self.name} cannot be decoded: {reason}')

    def shortfall(self) -> str | None:
        """Say, after all frames, how many of how many there were, if some lack."""
        with naming(self.name):
            container, stream = self._open()
            index = index_packets(container, stream)
            declared = declared_frames(container, stream, index, self._end) or 0
            container.close()
        if not self._frames.error and self.count >= declared:
            return None
        of = f' of {declared}' if declared > self.count else ''
        reason = f' ({self._frames.error})' if self._frames.error else ''
        return f'{self.count}{of} frames can be decoded{reason}'
