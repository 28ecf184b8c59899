"""Films written anew, as browsers play them."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import av
import numpy as np

from mmxclip.datasets import upright
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference.windows import open_film
from mmxclip.utils.files import atomic

_OPTIONS = dict(crf='23', preset='veryfast')


def write_film(
    frames: Iterable[tuple[float, np.ndarray]], fps: float, path: Path
) -> None:
    """Write frames as H.264, whole or not at all; what is there is replaced.

    Args:
        frames: Times in seconds, and RGB pictures (height, width, 3).
        fps: Frames per second, on average; 0 if unknown.
        path: An .mp4 file.

    Raises:
        OSError: It cannot be written.
    """
    rate = Fraction(fps or 25).limit_denominator(1001)
    with (
        atomic(path) as place,
        VideoWriter(place, fps=rate, gop=2 * round(rate), options=_OPTIONS) as out,
    ):
        for time, frame in frames:
            even = frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2]
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(even), format='rgb24'
            )
            seconds = Fraction(time).limit_denominator(10**6)
            out.write(picture.reformat(format='yuv420p'), seconds)


def write_cut(film: str, start: float, end: float, path: Path) -> None:
    """Write a part of a film, exact to the frame.

    Args:
        film: The film.
        start: Seconds; of its first frame or before.
        end: Seconds; behind its last frame.
        path: An .mp4 file.

    Raises:
        OSError: The film cannot be read, or the file not be written.
        VideoError: It is no video.
    """
    with open_film(film) as opened:
        inside = takewhile(lambda frame: frame.time < end, opened.frames(start))
        frames = ((time, upright(picture)) for time, picture in inside)
        write_film(frames, opened.fps, path)
