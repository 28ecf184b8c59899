"""All frames of a video, and how many there should have been."""

from collections.abc import Iterator
from typing import Any

from mmxclip.datasets.readers.container import naming
from mmxclip.datasets.readers.opened_video import OpenedVideo


class WholeVideo(OpenedVideo):
    """Frames of a video from the first to the last that can be decoded.

    Args: as for :class:`OpenedVideo`.

    Attributes:
        fps: Frames per second, on average; 0 if unknown.
        count: Frames that were decoded so far.

    Raises:
        OSError: The file does not exist or cannot be read.
        VideoError: It has no video stream; on iteration: it has no frames.
    """

    count = 0

    def __iter__(self) -> Iterator[Any]:
        """Decode PyAV's frames; they are not turned as the metadata say."""
        self.count = 0
        with naming(self.name):
            for frame in self._sequence:
                self.count += 1
                yield frame
        if not self.count:
            raise self._no_frames()

    def shortfall(self) -> str | None:
        """Say, after all frames, how many of how many decode, if some lack."""
        return self._compare(self.count)
