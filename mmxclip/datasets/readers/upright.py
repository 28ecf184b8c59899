"""Decoded frames as arrays, the right way up."""

import threading
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

_OF_THREAD = threading.local()  # PyAV's reformatters have a state


def orient(picture: np.ndarray, frame: Any) -> np.ndarray:
    """Turn and mirror a picture as its file says (telephones film sideways).

    Args:
        picture: What is seen, or a plane of it: (height, width, ...).
        frame: PyAV's frame that it comes from.

    Returns:
        A view of the picture.
    """
    matrix = frame.side_data.get('DISPLAYMATRIX')
    if matrix is None:
        return picture
    # x' = a x + c y, y' = b x + d y
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).tolist()
    if abs(b) > abs(a):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def upright(frame: Any) -> np.ndarray:
    """Make an array of a frame, the right way up, in RGB.

    Args:
        frame: PyAV's.

    Returns:
        An array of its own, uint8 (height, width, 3).
    """
    if not hasattr(_OF_THREAD, 'reformatter'):
        _OF_THREAD.reformatter = VideoReformatter()
    rgb = _OF_THREAD.reformatter.reformat(frame, format='rgb24', threads=1)
    array = orient(rgb.to_ndarray(), frame)
    borrowed = rgb is frame  # the array is the decoder's own memory
    return array.copy() if borrowed or not array.flags.c_contiguous else array
