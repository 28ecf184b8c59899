"""Small pictures of a film, a bounded number however long it is."""

import cv2
import numpy as np

from mmxclip.inference.windows import Window

_HEIGHT = 72  # pixels
_MOST = 48  # are kept


class Thumbnails:
    """Pictures from the middles of a film's windows.

    Attributes:
        pictures: RGB (height, width, 3) by the number of their window.
    """

    def __init__(self) -> None:
        self.pictures: dict[int, np.ndarray] = {}
        self._every = 1  # windows

    def look_at(self, window: Window) -> None:
        """Keep a picture of a window, or not; others give way where it gets tight."""
        if window.number % self._every:
            return
        (picture,) = window.get_batch([len(window) // 2])
        width = max(round(picture.shape[1] * _HEIGHT / picture.shape[0]), 1)
        size = (width, _HEIGHT)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self.pictures[window.number] = small
        if len(self.pictures) > _MOST:
            self._every *= 2
            self.pictures = {
                number: picture
                for number, picture in self.pictures.items()
                if number % self._every == 0
            }
