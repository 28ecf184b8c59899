"""Write H.264 videos that are fast to read."""

from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from mmxclip.datasets.readers.upright import orient

# Fine enough for any frame rate; coarse enough for pauses of hours in an mp4.
_TICKS = 90_000  # per second


class VideoWriter(AbstractContextManager):
    """An mp4 file of H.264 without sound and without B-frames.

    So a frame needs no later one, and key frames stand at regular places.

    Args:
        path: The file.
        fps: Frames per second, where times are not given.
        gop: Frames from one key frame to the next.
        options: Of x264, such as ``dict(crf='20', preset='veryfast')``.

    Raises:
        OSError: The file cannot be written, also on any call.

    Examples:
        >>> with VideoWriter('clip.mp4', fps=25, gop=12) as video:  # doctest: +SKIP
        ...     for image in images:
        ...         video.write_image(image)
    """

    def __init__(
        self, path: Path, *, fps: Fraction | float, gop: int, options: dict[str, str]
    ) -> None:
        self._container = av.open(
            str(path), 'w', format='mp4', container_options={'movflags': 'faststart'}
        )
        regular = dict(sc_threshold='0', bf='0', g=str(gop), threads='1')
        self._stream = self._container.add_stream('libx264', options=regular | options)
        self._step = max(round(_TICKS / fps), 1)
        self._last = -self._step
        self._start: Fraction | None = None

    def write(self, frame: av.VideoFrame, time: Fraction | None = None) -> None:
        """Append a frame.

        Args:
            frame: Of even width and height, the same for all.
            time: When it is shown, in seconds; the first is shown at 0. A time that
                is missing or does not ascend follows from the frames per second.
        """
        encoder = self._stream.codec_context
        if not encoder.is_open:
            encoder.width, encoder.height = frame.width, frame.height
            encoder.pix_fmt = 'yuv420p'
            encoder.time_base = Fraction(1, _TICKS)
            encoder.framerate = Fraction(_TICKS, self._step)
            encoder.color_range = frame.color_range
            encoder.colorspace = frame.colorspace
            encoder.color_primaries = frame.color_primaries
            encoder.color_trc = frame.color_trc
        ticks = self._last
        if time is not None:
            self._start = time if self._start is None else self._start
            ticks = round((time - self._start) * _TICKS)
        if ticks <= self._last:
            ticks = self._last + self._step
        self._last = ticks
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS)
        frame.pict_type = 0  # not that of the video it comes from
        self._container.mux(self._stream.encode(frame))

    def write_image(self, image: np.ndarray, time: Fraction | None = None) -> None:
        """Append an image of shape (H, W, 3), RGB, uint8; H and W are even."""
        picture = av.VideoFrame.from_ndarray(image, format='rgb24')
        self.write(picture.reformat(format='yuv420p', threads=1), time)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._last >= 0:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def turned(frame: av.VideoFrame, source: Any) -> av.VideoFrame:
    """Turn a frame of format yuv420p as the metadata of the one it was made of say."""
    if 'DISPLAYMATRIX' not in source.side_data:
        return frame
    luma, chroma = np.split(frame.to_ndarray(), [frame.height])
    planes = [luma, *chroma.reshape(2, frame.height // 2, frame.width // 2)]
    flat = np.concatenate([orient(plane, source).ravel() for plane in planes])
    width = orient(luma, source).shape[1]
    new = av.VideoFrame.from_ndarray(flat.reshape(-1, width), format='yuv420p')
    new.color_range, new.colorspace = frame.color_range, frame.colorspace
    return new
