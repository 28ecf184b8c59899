"""Frames of video files by their numbers, equal to those of sequential decoding.

Frame ``n`` is by definition the one that comes ``n``-th when the video stream is
decoded from its start to its end, or to its first error. Decoding from a key frame is a
short cut to the same pictures, taken only where the packets tell the number of every
frame, and given up where what is decoded contradicts them.
"""

from collections.abc import Sequence

import numpy as np

from mmxclip.datasets.readers.container import VideoError, naming
from mmxclip.datasets.readers.decoding import IndexedFrames
from mmxclip.datasets.readers.opened_video import OpenedVideo
from mmxclip.datasets.readers.upright import upright

_KEPT_BYTES = 2**26  # of decoded frames, where all must be decoded to count them


class VideoReader(OpenedVideo):
    """A video file as a sequence of frames.

    Rotation from the metadata is applied. Files are read where they lie, without a
    copy in memory. A reader belongs to one thread and one process.

    Args: as for :class:`OpenedVideo`.

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

    def _look_through(self) -> None:
        indexed = isinstance(self._frames, IndexedFrames)
        self._length = len(self._frames.times) if indexed else self._decode_all()
        missing = self._compare(self._length)
        self.shortfall = missing and f'{self.name} is damaged or cut off: {missing}'

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
                try:
                    frames[number] = upright(self._decode(number))
                except IndexError as error:
                    raise VideoError(
                        f'{self.name}: frame {number} of {self._length} cannot be '
                        'decoded'
                    ) from error
        return [frames[int(i)] for i in indices]

    def _decode_all(self) -> int:
        """Keep the frames if they are small enough; return how many there are."""
        count, kept, size = 0, [], 0
        for frame in self._sequence:
            count += 1
            size += sum(plane.buffer_size for plane in frame.planes)
            if size <= _KEPT_BYTES:
                kept.append(frame)
            else:
                kept.clear()
        if not count:
            raise self._no_frames()
        self._frames = kept or self._sequence
        return count
