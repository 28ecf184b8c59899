"""A picture of what a search has found."""

from collections.abc import Sequence

import numpy as np

from mmxclip.datasets import Upright
from mmxclip.inference.films import path_of
from mmxclip.inference.hits import Hit
from mmxclip.inference.picture_grid import draw_grid
from mmxclip.inference.timeline_files import clock
from mmxclip.inference.windows import open_film


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
    return _middle(path_of(folder, hit.film), hit), words


def _middle(path: str, hit: Hit) -> np.ndarray:
    """Return the frame in the middle of a hit, or the last one before its end."""
    with open_film(path) as film:
        for frame in film.frames((hit.start + hit.end) / 2):
            return Upright()(frame.picture)
        *_, frame = film.frames(hit.start)
        return Upright()(frame.picture)
