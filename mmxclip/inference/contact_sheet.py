"""A picture of what a search has found."""

import warnings
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmxclip.datasets import Upright
from mmxclip.inference.films import path_of
from mmxclip.inference.hits import Hit
from mmxclip.inference.picture import font_names
from mmxclip.inference.timeline_files import clock
from mmxclip.inference.windows import open_film

_COLUMNS = 5
_CELL = (2.4, 1.9)  # inches: width, height


def draw_sheet(found: Sequence[tuple[str, Sequence[Hit]]], folder: str) -> np.ndarray:
    """Draw the middle frame of every hit, with its place and score.

    Args:
        found: Queries, each with its hits.
        folder: Where the films are.

    Returns:
        RGB picture, uint8 (height, width, 3).

    Raises:
        OSError: A film cannot be read.
    """
    with rc_context({'font.family': font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')  # shown as a box
        sheets = [_draw(query, hits, folder) for query, hits in found]
    return np.concatenate(sheets)


def _draw(query: str, hits: Sequence[Hit], folder: str) -> np.ndarray:
    rows = max(-(-len(hits) // _COLUMNS), 1)
    width, height = _CELL
    figure = Figure(
        figsize=(width * _COLUMNS, height * rows + 0.4),
        dpi=110,
        facecolor='white',
        layout='constrained',
    )
    canvas = FigureCanvasAgg(figure)
    shown = query if len(query) <= 100 else f'{query[:99]}…'
    figure.suptitle(shown, x=0.01, ha='left', fontsize=12, parse_math=False)
    for axes in (cells := figure.subplots(rows, _COLUMNS, squeeze=False)).flat:
        axes.axis('off')
    for number, (hit, axes) in enumerate(zip(hits, cells.flat, strict=False), 1):
        axes.imshow(_middle(path_of(folder, hit.film), hit))
        name = hit.film if len(hit.film) <= 34 else f'…{hit.film[-33:]}'
        times = f'{clock(hit.start)[:-4]} - {clock(hit.end)[:-4]}'
        title = f'{number}.  {hit.score:.3f}  {times}\n{name}'
        axes.set_title(title, loc='left', fontsize=7, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _middle(path: str, hit: Hit) -> np.ndarray:
    """Return the frame in the middle of a hit, or the last one before its end."""
    with open_film(path) as film:
        for frame in film.frames((hit.start + hit.end) / 2):
            return Upright()(frame.picture)
        *_, frame = film.frames(hit.start)
        return Upright()(frame.picture)
