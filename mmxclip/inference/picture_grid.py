"""Pictures in rows, each under a few words."""

import warnings
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmxclip.inference.picture import font_names

_COLUMNS = 5
_CELL = (2.4, 1.9)  # inches: width, height


def draw_grid(heading: str, cells: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    """Draw pictures, five in a row.

    Args:
        heading: A line above all.
        cells: RGB pictures (height, width, 3) and the words above each.

    Returns:
        RGB picture, uint8 (height, width, 3).
    """
    with rc_context({'font.family': font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')  # shown as a box
        return _draw(heading, cells)


def _draw(heading: str, cells: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    rows = max(-(-len(cells) // _COLUMNS), 1)
    width, height = _CELL
    figure = Figure(
        figsize=(width * _COLUMNS, height * rows + 0.4),
        dpi=110,
        facecolor='white',
        layout='constrained',
    )
    canvas = FigureCanvasAgg(figure)
    shown = heading if len(heading) <= 100 else f'{heading[:99]}…'
    figure.suptitle(shown, x=0.01, ha='left', fontsize=12, parse_math=False)
    for axes in (places := figure.subplots(rows, _COLUMNS, squeeze=False)).flat:
        axes.axis('off')
    for (picture, words), axes in zip(cells, places.flat, strict=False):
        axes.imshow(picture)
        axes.set_title(words, loc='left', fontsize=7, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
