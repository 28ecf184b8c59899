"""A picture of what a search has found."""

from collections.abc import Sequence

import numpy as np

from mmxclip.inference.films import middle_frame, path_of
from mmxclip.inference.hits import Hit
from mmxclip.inference.picture_grid import draw_grid
from mmxclip.inference.timeline_files import clock


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
    sheets = [
        draw_grid(query, [_cell(*numbered, folder) for numbered in enumerate(hits, 1)])
        for query, hits in found
    ]
    return np.concatenate(sheets)


def _cell(number: int, hit: Hit, folder: str) -> tuple[np.ndarray, str]:
    name = hit.film if len(hit.film) <= 34 else f'…{hit.film[-33:]}'
    times = f'{clock(hit.start)[:-4]} - {clock(hit.end)[:-4]}'
    words = f'{number}.  {hit.score:.3f}  {times}\n{name}'
    return middle_frame(path_of(folder, hit.film), hit.start, hit.end), words
