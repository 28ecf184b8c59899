"""decord and TorchCodec behind the interface of ``VideoReader``.

Both are given a whole file as bytes. docs/explanation/reading_videos.md says which
files they read wrongly, hang on, or die of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np

from mmxclip.datasets.readers.container import VideoError


class _OtherReader:
    """Read frames with another decoder.

    Args:
        data: A video file.
        name: What errors call it.
        num_threads: Threads of the decoder.

    Raises:
        ImportError: The decoder is not installed.
        VideoError: The file has no frames that can be read.
    """

    shortfall = None
    # Gives the decoder of a file, and its frames per second.
    _open: Callable[[bytes, int], tuple[Any, float]]
    _decode: Callable[[list[int]], Iterable[np.ndarray]]
    _errors: tuple[type[Exception], ...] = (RuntimeError, ValueError, TypeError)

    def __init__(self, data: bytes, name: str, num_threads: int = 1) -> None:
        self._name = name
        with self._naming_errors():
            self._reader, self.fps = self._open(data, num_threads)
            self._length = len(self._reader)
            if not self._length:
                raise ValueError('no frames')

    def __len__(self) -> int:
        return self._length

    def get_batch(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Decode frames by their numbers, in the given order."""
        with self._naming_errors():
            return list(self._decode([int(i) for i in indices]))

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            reason = ' '.join(str(error).split())[-200:]
            raise VideoError(f'{self._name} cannot be decoded: {reason}') from error


class DecordReader(_OtherReader):
    """Read frames with decord."""

    def _open(self, data: bytes, num_threads: int) -> tuple[Any, float]:
        try:
            import decord  # noqa: PLC0415 (optional)
            from decord._ffi.base import DECORDError  # noqa: PLC0415
        except ImportError as error:
            raise ImportError(
                'SafeDecordInit needs decord, which has wheels for x86-64 Linux and '
                'Windows only: pip install decord, or put VideoInit in its place'
            ) from error
        self._errors = (*self._errors, DECORDError)
        reader = decord.VideoReader(BytesIO(data), num_threads=num_threads)
        return reader, float(reader.get_avg_fps())

    def _decode(self, indices: list[int]) -> Iterable[np.ndarray]:
        return self._reader.get_batch(indices).asnumpy()


class TorchCodecReader(_OtherReader):
    """Read frames with TorchCodec, which uses the system's FFmpeg."""

    def _open(self, data: bytes, num_threads: int) -> tuple[Any, float]:
        try:
            from torchcodec.decoders import VideoDecoder  # noqa: PLC0415 (optional)
        except (ImportError, OSError, RuntimeError) as error:
            # The last two where it finds no FFmpeg, or one for another torch.
            raise ImportError(
                'SafeTorchCodecInit needs TorchCodec in the version for this torch '
                '(pip install torchcodec==...) and FFmpeg (apt install ffmpeg)'
            ) from error
        reader = VideoDecoder(
            data, dimension_order='NHWC', num_ffmpeg_threads=num_threads
        )
        return reader, float(reader.metadata.average_fps or 0)

    def _decode(self, indices: list[int]) -> Iterable[np.ndarray]:
        return self._reader.get_frames_at(indices).data.numpy()
