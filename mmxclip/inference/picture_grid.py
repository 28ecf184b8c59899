"""Pictures in rows, each under a few words."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mmxclip.inference.figures import render, shortened

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
    rows = max(-(-len(cells) // _COLUMNS), 1)
    width, height = _CELL

    def draw(figure: Figure) -> None:
        figure.set_size_inches(width * _COLUMNS, height * rows + 0.4)
        shown = shortened(heading, 100)
        figure.suptitle(shown, x=0.01, ha='left', fontsize=12, parse_math=False)
        for axes in (places := figure.subplots(rows, _COLUMNS, squeeze=False)).flat:
            axes.axis('off')
        for (picture, words), axes in zip(cells, places.flat, strict=False):
            axes.imshow(picture)
            axes.set_title(words, loc='left', fontsize=7, parse_math=False)

    return render(draw, layout='constrained')
