"""Decoded frames as arrays, the right way up."""

import threading
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

_OF_THREAD = threading.local()  # PyAV's reformatters have a state


def upright(frame: Any) -> np.ndarray:
    """Turn a frame as its file says (telephones film sideways), into RGB.

    Args:
        frame: PyAV's.

    Returns:
        An array of its own, uint8 (height, width, 3).
    """
    if not hasattr(_OF_THREAD, 'reformatter'):
        _OF_THREAD.reformatter = VideoReformatter()
    rgb = _OF_THREAD.reformatter.reformat(frame, format='rgb24', threads=1)
    array = rgb.to_ndarray()
    turns = round(frame.rotation / 90) % 4
    if turns:
        return np.ascontiguousarray(np.rot90(array, turns))
    return array.copy() if rgb is frame else array  # or it is the decoder's own
