"""Figures of matplotlib as pictures: without a display, in many scripts."""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

_FRAMES_PER_ROW = 8
_LOOK: dict[str, Any] = dict(dpi=110, facecolor='white')
_MORE_SCRIPTS = (
    'Noto Sans CJK SC',
    'Noto Sans CJK JP',
    'WenQuanYi Zen Hei',
    'Microsoft YaHei',
    'PingFang SC',
    'Arial Unicode MS',
)


def render(draw: Callable[[Figure], None], **options: Any) -> np.ndarray:
    """Return a figure as a picture, RGB uint8 (height, width, 3).

    Args:
        draw: Draws into it, and says how large it is.
        **options: Of the figure.
    """
    figure = Figure(**(_LOOK | options))
    canvas = FigureCanvasAgg(figure)
    with rc_context({'font.family': _font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')  # shown as a box
        draw(figure)
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


@lru_cache
def _font_names() -> list[str]:
    """Return matplotlib's own font, then those here that know more scripts."""
    installed = {font.name for font in fontManager.ttflist}
    return ['DejaVu Sans', *(name for name in _MORE_SCRIPTS if name in installed)]


def shortened(text: str, most: int = 48) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else f'{text[: most - 1]}…'


def film_strip(frames: np.ndarray) -> np.ndarray:
    """Lay frames (T, H, W, 3) out in rows of eight, white in between."""
    num_frames, height, width, _ = frames.shape
    columns = min(num_frames, _FRAMES_PER_ROW)
    rows = -(-num_frames // columns)
    gap = max(1, width // 24)
    strip = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8
    )
    for i, frame in enumerate(frames):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        strip[y : y + height, x : x + width] = frame
    return strip
