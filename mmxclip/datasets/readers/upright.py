"""Decoded frames as arrays, the right way up."""

import threading
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter


class Upright:
    """Turns frames as their file says (telephones film sideways), into RGB."""

    def __init__(self) -> None:
        self._of_thread = threading.local()  # PyAV's reformatters have a state

    def __call__(self, frame: Any) -> np.ndarray:
        """Return PyAV's frame as an array of its own, uint8 (height, width, 3)."""
        if not hasattr(self._of_thread, 'reformatter'):
            self._of_thread.reformatter = VideoReformatter()
        rgb = self._of_thread.reformatter.reformat(frame, format='rgb24', threads=1)
        array = rgb.to_ndarray()
        turns = round(frame.rotation / 90) % 4
        if turns:
            return np.ascontiguousarray(np.rot90(array, turns))
        return array.copy() if rgb is frame else array  # or it is the decoder's own
