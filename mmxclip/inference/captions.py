"""Films with labels written into them, as browsers play them."""

import warnings
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmxclip.datasets import Upright
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.inference.picture import font_names
from mmxclip.inference.ranges import Range
from mmxclip.inference.windows import open_film
from mmxclip.utils.files import atomic

_OPTIONS = dict(crf='23', preset='veryfast')


def write_captioned(film: str, ranges: Sequence[Range], path: Path) -> None:
    """Write the film again (H.264, no sound), with the labels of the ranges.

    Args:
        film: The film.
        ranges: Which label to show when.
        path: An .mp4 file, which is replaced.

    Raises:
        OSError: It cannot be written, or the film cannot be read.
    """
    upright = Upright()
    with open_film(film) as opened, atomic(path) as place:
        fps = Fraction(opened.fps or 25).limit_denominator(1001)
        with VideoWriter(place, fps=fps, gop=2 * round(fps), options=_OPTIONS) as out:
            for time, picture in opened.frames():
                frame = upright(picture)
                frame = frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2]
                shown = [r.label for r in ranges if r.start <= time < r.end]
                if shown:
                    frame = _with_caption(frame, '\n'.join(shown))
                new = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(frame), format='rgb24'
                )
                seconds = Fraction(time).limit_denominator(10**6)
                out.write(new.reformat(format='yuv420p'), seconds)


def _with_caption(frame: np.ndarray, text: str) -> np.ndarray:
    """Lay a caption over the foot of a frame (height, width, 3)."""
    height, width, _ = frame.shape
    caption = _draw_caption(text, width, height)
    frame = frame.copy()
    frame[-len(caption) :] = frame[-len(caption) :] // 3 + caption // 3 * 2
    return frame


@lru_cache(maxsize=64)
def _draw_caption(text: str, width: int, height: int) -> np.ndarray:
    """Draw white text on black, as wide as the film (height, width, 3)."""
    lines = text.count('\n') + 1
    rows = min(max(height // 12, 12) * lines, height)
    figure = Figure(figsize=(width / 100, rows / 100), dpi=100, facecolor='black')
    canvas = FigureCanvasAgg(figure)
    with rc_context({'font.family': font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')
        drawn = figure.text(
            0.5, 0.5, text, color='white', ha='center', va='center', parse_math=False
        )
        size = 0.6 * 72 * rows / lines / 100
        drawn.set_fontsize(size)
        canvas.draw()
        needed = drawn.get_window_extent().width
        if needed > 0.96 * width:
            drawn.set_fontsize(size * 0.96 * width / needed)
            canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    return cv2.resize(picture, (width, rows), interpolation=cv2.INTER_AREA)
