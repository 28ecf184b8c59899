"""Decoded frames as arrays, the right way up."""

from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter


class Upright:
    """Turns frames as their file says (telephones film sideways), into RGB.

    It belongs to one thread.
    """

    def __init__(self) -> None:
        self._to_rgb = VideoReformatter()

    def __call__(self, frame: Any) -> np.ndarray:
        """Return PyAV's frame as an array of its own, uint8 (height, width, 3)."""
        rgb = self._to_rgb.reformat(frame, format='rgb24', threads=1)
        array = rgb.to_ndarray()
        turns = round(frame.rotation / 90) % 4
        if turns:
            return np.ascontiguousarray(np.rot90(array, turns))
        return array.copy() if rgb is frame else array  # or it is the decoder's own
