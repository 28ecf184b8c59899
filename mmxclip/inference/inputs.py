"""What an inferencer is given, checked."""

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from torch import Tensor

InputFormat = Literal['video', 'array', 'rawframes']


def check_input(given: Any, input_format: str) -> Any:
    """Return an input as the pipeline takes it: a path as a string, or an array.

    Args:
        given: The input; a path may be a ``file://`` address.
        input_format: What it should be.

    Raises:
        ValueError: The input is none of its format.
    """
    if input_format == 'array':
        if not _is_clip(given):
            raise ValueError(
                "input_format='array' takes frames as an array (T, H, W, 3) of uint8, "
                f'got {_describe(given)}'
            )
        return given
    if not isinstance(given, (str, os.PathLike)):
        raise ValueError(
            f'input_format={input_format!r} takes paths, got {_describe(given)}; for '
            "frames there is input_format='array'"
        )
    path = local_path(given)
    if input_format == 'video' and os.path.isdir(path):
        raise ValueError(
            f'{path} is a folder; give the videos in it, or, if it holds '
            "the frames of one as images, input_format='rawframes'"
        )
    return path


def local_path(path: str | os.PathLike) -> str:
    """Return a path as a string, also of an address of a file, ``file://...``."""
    path = os.fspath(path)
    return url2pathname(urlsplit(path).path) if path.startswith('file://') else path


def name_of(given: Any) -> str:
    """Return what an input is called: the name of its file, or 'array'."""
    if not isinstance(given, (str, os.PathLike)):
        return 'array'
    # Names that are not UTF-8 can be neither printed nor drawn.
    return os.fsencode(Path(given).name).decode(errors='replace')


def frames_of(inputs: Tensor) -> np.ndarray:
    """Return the frames of a video's first view, uint8 (T, H, W, 3).

    Args:
        inputs: As pipelines pack them: (views, 3, T, H, W) or all frames (T, 3, H, W).

    Raises:
        ValueError: They are no RGB frames.
    """
    if inputs.ndim not in (4, 5) or inputs.shape[1] != 3:
        raise ValueError(
            'only RGB frames can be drawn, (views, 3, T, H, W) or (T, 3, H, W), got '
            f'inputs of shape {tuple(inputs.shape)}'
        )
    frames = inputs[0].transpose(0, 1) if inputs.ndim == 5 else inputs  # (T, 3, H, W)
    return frames.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)


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
