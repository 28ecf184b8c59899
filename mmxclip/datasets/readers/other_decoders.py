"""decord and TorchCodec behind the interface of ``VideoReader``.

Both are given a whole file as bytes. docs/explanation/reading_videos.md says which
files they read wrongly, hang on, or die of.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np

from mmxclip.datasets.readers.container import VideoError


class DecordReader:
    """Read frames with decord.

    Args:
        data: A video file.
        name: What errors call it.
        num_threads: Threads of the decoder.

    Raises:
        ImportError: decord is not installed.
        VideoError: The file has no frames that can be read.
    """

    shortfall = None

    def __init__(self, data: bytes, name: str, num_threads: int = 1) -> None:
        try:
            import decord  # noqa: PLC0415 (optional)
            from decord._ffi.base import DECORDError  # noqa: PLC0415
        except ImportError as error:
            raise ImportError(
                'SafeDecordInit needs decord, which has wheels for x86-64 Linux and '
                'Windows only: pip install decord, or put VideoInit in its place'
            ) from error
        self._name = name
        self._errors = (RuntimeError, DECORDError)
        try:
            self._reader: Any = decord.VideoReader(
                BytesIO(data), num_threads=num_threads
            )
            self.fps = float(self._reader.get_avg_fps())
            self._length = len(self._reader)
        except self._errors as error:
            raise _unreadable(name, error) from error
        if not self._length:
            raise _unreadable(name, 'no frames')

    def __len__(self) -> int:
        return self._length

    def get_batch(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Decode frames by their numbers, in the given order."""
        try:
            return list(self._reader.get_batch(indices).asnumpy())
        except self._errors as error:
            raise _unreadable(self._name, error) from error


class TorchCodecReader:
    """Read frames with TorchCodec, which uses the system's FFmpeg.

    Args: as for :class:`DecordReader`.

    Raises:
        ImportError: TorchCodec cannot be loaded.
        VideoError: The file has no frames that can be read.
    """

    shortfall = None

    def __init__(self, data: bytes, name: str, num_threads: int = 1) -> None:
        try:
            from torchcodec.decoders import VideoDecoder  # noqa: PLC0415 (optional)
        except (ImportError, OSError, RuntimeError) as error:
            # The last two where it finds no FFmpeg, or one for another torch.
            raise ImportError(
                'SafeTorchCodecInit needs TorchCodec in the version for this torch '
                '(pip install torchcodec==...) and FFmpeg (apt install ffmpeg)'
            ) from error
        self._name = name
        try:
            self._decoder = VideoDecoder(
                data, dimension_order='NHWC', num_ffmpeg_threads=num_threads
            )
            self._length = len(self._decoder)
        except (RuntimeError, ValueError, TypeError) as error:
            raise _unreadable(name, error) from error
        self.fps = float(self._decoder.metadata.average_fps or 0)

    def __len__(self) -> int:
        return self._length

    def get_batch(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Decode frames by their numbers, in the given order."""
        try:
            frames = self._decoder.get_frames_at([int(i) for i in indices])
        except RuntimeError as error:
            raise _unreadable(self._name, error) from error
        return list(frames.data.numpy())


def _unreadable(name: str, error: Exception | str) -> VideoError:
    reason = ' '.join(str(error).split())[-200:]
    return VideoError(f'{name} cannot be decoded: {reason}')
