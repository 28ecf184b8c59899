"""What an inferencer is given: checked, and read without excuses."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmengine.fileio import exists

from mmxclip.datasets import VideoError


def check_input(given: Any, input_format: str) -> None:
    """Raise a ValueError unless an input is one of its format.

    Args:
        given: The input.
        input_format: ``'video'``, ``'array'`` or ``'rawframes'``.
    """
    if input_format == 'array':
        if not _is_clip(given):
            raise ValueError(
                "input_format='array' takes frames as an array (T, H, W, 3) of uint8, "
                f'got {_describe(given)}'
            )
    elif not isinstance(given, (str, os.PathLike)):
        raise ValueError(
            f'input_format={input_format!r} takes paths, got {_describe(given)}; for '
            "frames there is input_format='array'"
        )
    elif input_format == 'video' and Path(given).is_dir():
        raise ValueError(
            f'{os.fspath(given)} is a folder; give the videos in it, or, if it holds '
            "the frames of one as images, input_format='rawframes'"
        )


def _is_clip(given: Any) -> bool:
    return (
        isinstance(given, np.ndarray)
        and given.dtype == np.uint8
        and given.ndim == 4
        and len(given) > 0
        and given.shape[3] == 3
    )


def _describe(given: Any) -> str:
    name = type(given).__name__
    if not isinstance(given, np.ndarray):
        return name
    return f'{name} {given.shape} of {given.dtype}'


class StrictCompose(Compose):
    """A pipeline that ends with an error naming a file it cannot read."""

    def __call__(self, data: Any) -> dict:
        """Prepare one input.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: It cannot be decoded.
        """
        name = os.fspath(data) if isinstance(data, (str, os.PathLike)) else 'the frames'
        if isinstance(data, (str, os.PathLike)):
            if '://' not in name and not exists(name):
                raise FileNotFoundError(f'{name} does not exist')
            data = name
        pack, *steps = self.transforms
        results = pack(data)
        for transform in steps:
            try:
                results = transform(results)
            except VideoError as error:
                raise ValueError(str(error)) from error
        return results
