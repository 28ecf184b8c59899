"""Other decoders behind the part of decord's interface that decoding uses.

Each reader takes a whole file as bytes and raises RuntimeError for one that it cannot
open or decode.
"""

from bisect import bisect_right
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np


class Frames:
    """Decoded frames, as decord hands them over."""

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames  # (N, H, W, 3) RGB uint8

    def asnumpy(self) -> np.ndarray:
        """Return the frames, shape (N, H, W, 3)."""
        return self.frames


class PyAVReader:
    """Read frames with PyAV, which brings its own FFmpeg.

    As decord does, it lists all packets first, so that frames are counted and found
    by their number, and decodes from the last key frame before a frame.

    Args:
        data: A video file.
        num_threads: Threads of the decoder.

    Raises:
        ImportError: PyAV is not installed.
        RuntimeError: The file has no frames that can be read.
    """

    def __init__(self, data: bytes, num_threads: int = 1) -> None:
        try:
            import av  # noqa: PLC0415 (optional)
        except ImportError as error:
            raise ImportError('SafePyAVInit needs PyAV: pip install av') from error
        self._error: type[Exception] = av.FFmpegError
        try:
            self._container: Any = av.open(BytesIO(data))
            if not self._container.streams.video:
                raise RuntimeError('no video stream')
            self._stream = self._container.streams.video[0]
            self._stream.codec_context.thread_count = num_threads
            packets = self._list_packets()
        except self._error as error:
            raise RuntimeError(f'PyAV: {error}') from error
        times = {time: is_key for time, is_key in packets if time is not None}
        # AVI knows no presentation times, and those that FFmpeg guesses are wrong.
        self._counted = 'avi' in self._container.format.name or len(times) < len(
            packets
        )
        self._times = [] if self._counted else sorted(times)
        self._keys = [i for i, time in enumerate(self._times) if times[time]] or [0]
        self._length = len(packets)

    def _list_packets(self) -> list[tuple[int | None, bool]]:
        """Presentation times, and whether they are of key frames."""
        return [
            (packet.pts, packet.is_keyframe)
            for packet in self._container.demux(self._stream)
            if packet.size and not packet.is_discard
        ]

    def __len__(self) -> int:
        return self._length

    def get_avg_fps(self) -> float:
        """Return the frames per second."""
        return float(self._stream.average_rate or 0)

    def get_batch(self, indices: np.ndarray) -> Frames:
        """Decode frames by their numbers, in the given order."""
        wanted = sorted({int(i) for i in indices})
        found: dict[int, np.ndarray] = {}
        try:
            numbered = self._decode_from(wanted[0])
            for index in wanted:
                if self._key_before(index) > max(found, default=index):
                    numbered = self._decode_from(index)
                for number, frame in numbered:
                    if number == index:
                        found[index] = _upright(frame)
                        break
                else:
                    raise RuntimeError(f'PyAV: frame {index} cannot be decoded')
        except self._error as error:
            raise RuntimeError(f'PyAV: {error}') from error
        return Frames(np.stack([found[int(i)] for i in indices]))

    def _key_before(self, index: int) -> int:
        place = bisect_right(self._keys, index) - 1
        return self._keys[max(place, 0)]

    def _decode_from(self, index: int) -> Iterator[tuple]:
        """Frames with their numbers, from a key frame at or before ``index`` on."""
        container, stream = self._container, self._stream
        if self._counted:
            container.seek(0)
            yield from enumerate(container.decode(stream))
            return
        numbers = {time: i for i, time in enumerate(self._times)}
        container.seek(self._times[self._key_before(index)], stream=stream)
        for frame in container.decode(stream):
            yield numbers.get(frame.pts), frame


def _upright(frame: Any) -> np.ndarray:
    """Return the frame, turned as its file says: telephones film sideways."""
    turns = round(getattr(frame, 'rotation', 0) / 90)  # older PyAVs do not know
    return np.rot90(frame.to_ndarray(format='rgb24'), turns)


class TorchCodecReader:
    """Read frames with TorchCodec, which uses the system's FFmpeg.

    Args:
        data: A video file.
        num_threads: Threads of the decoder.

    Raises:
        ImportError: TorchCodec cannot be loaded.
        RuntimeError: The file has no frames that can be read.
    """

    def __init__(self, data: bytes, num_threads: int = 1) -> None:
        try:
            from torchcodec.decoders import VideoDecoder  # noqa: PLC0415 (optional)
        except (ImportError, OSError, RuntimeError) as error:
            # The last two where it finds no FFmpeg, or one for another torch.
            raise ImportError(
                'SafeTorchCodecInit needs TorchCodec in the version for this torch '
                '(pip install torchcodec==...) and FFmpeg (apt install ffmpeg)'
            ) from error
        try:
            self._decoder = VideoDecoder(
                data, dimension_order='NHWC', num_ffmpeg_threads=num_threads
            )
            self._length = len(self._decoder)
        except (ValueError, TypeError) as error:  # no video stream, no frames
            raise RuntimeError(f'TorchCodec: {error}') from error

    def __len__(self) -> int:
        return self._length

    def get_avg_fps(self) -> float:
        """Return the frames per second."""
        return float(self._decoder.metadata.average_fps or 0)

    def get_batch(self, indices: np.ndarray) -> Frames:
        """Decode frames by their numbers, in the given order."""
        frames = self._decoder.get_frames_at([int(i) for i in indices])
        return Frames(frames.data.numpy())
