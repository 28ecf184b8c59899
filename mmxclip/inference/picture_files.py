"""Pictures of predictions as files."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmxclip.inference.inputs import name_of
from mmxclip.utils.files import atomic


def picture_paths(
    inputs: Sequence[str | os.PathLike | np.ndarray], folder: str | os.PathLike
) -> list[Path]:
    """Return where the picture of each input is saved.

    Args:
        inputs: Videos by path, named after their files, or arrays, ``array.png``.
        folder: Folder of the pictures.

    Returns:
        Paths, all different: a name that comes again gets a number.
    """
    paths: dict[Path, None] = {}  # in order
    for single_input in inputs:
        stem = Path(name_of(single_input)).stem
        names = (f'{stem}-{n}' if n > 1 else stem for n in itertools.count(1))
        candidates = (Path(folder, f'{name}.png') for name in names)
        paths[next(path for path in candidates if path not in paths)] = None
    return list(paths)


def save_picture(picture: np.ndarray, path: str | os.PathLike) -> None:
    """Write an RGB picture (height, width, 3), whole or not at all."""
    _, data = cv2.imencode('.png', picture[..., ::-1])
    with atomic(path) as place:
        place.write_bytes(data.tobytes())
