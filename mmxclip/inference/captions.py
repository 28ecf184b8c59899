"""Films with labels written into them, as browsers play them."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from mmxclip.datasets import upright
from mmxclip.inference.figures import render
from mmxclip.inference.film_writer import write_film
from mmxclip.inference.ranges import Range
from mmxclip.inference.windows import open_film


def write_captioned(film: str, ranges: Sequence[Range], path: Path) -> None:
    """Write the film again (H.264, no sound), with the labels of the ranges.

    Args:
        film: The film.
        ranges: Which label to show when.
        path: An .mp4 file, which is replaced.

    Raises:
        OSError: It cannot be written, or the film cannot be read.
    """

    def frames() -> Iterator[tuple[float, np.ndarray]]:
        for time, picture in opened.frames():
            frame = upright(picture)
            shown = [r.label for r in ranges if r.start <= time < r.end]
            yield time, _with_caption(frame, '\n'.join(shown)) if shown else frame

    with open_film(film) as opened:
        write_film(frames(), opened.fps, path)


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

    def draw(figure: Figure) -> None:
        figure.set_size_inches(width / 100, rows / 100)
        drawn = figure.text(
            0.5, 0.5, text, color='white', ha='center', va='center', parse_math=False
        )
        size = 0.6 * 72 * rows / lines / 100
        drawn.set_fontsize(size)
        needed = drawn.get_window_extent().width
        drawn.set_fontsize(size * min(0.96 * width / needed, 1))

    picture = render(draw, dpi=100, facecolor='black')
    return cv2.resize(picture, (width, rows), interpolation=cv2.INTER_AREA)
