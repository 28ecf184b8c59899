"""Colour augmentations of the X-CLIP recipe, on uint8 frames."""

from collections.abc import Callable

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

_LEVELS = np.arange(256, dtype=np.float32)


def _lookup(image: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))


def grayscale(image: np.ndarray) -> np.ndarray:
    """Luma in all three channels; (H, W, 3) RGB uint8 in and out."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def adjust_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with black; 1 changes nothing."""
    return _lookup(image, factor * _LEVELS)


def adjust_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with the mean luma of the image; 1 changes nothing."""
    mean = np.rint(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0])
    return _lookup(image, factor * _LEVELS + (1 - factor) * mean)


def adjust_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend with the luma of each pixel; 1 changes nothing."""
    return cv2.addWeighted(image, factor, grayscale(image), 1 - factor, 0)


def adjust_hue(image: np.ndarray, shift: float) -> np.ndarray:
    """Turn the hue by ``shift`` of the colour circle; 0 changes nothing."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    rows = hsv.reshape(len(hsv), -1)  # (H, W * 3)
    # The circle has 256 steps, so that uint8 overflows from its end to its start.
    turn = np.array([int(shift * 255) % 256, 0, 0], np.uint8)
    np.add(rows, np.tile(turn, hsv.shape[1]), out=rows)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


@TRANSFORMS.register_module()
class VideoColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue at random, in random order.

    The defaults are those of the X-CLIP recipe. Its jitter is drawn anew for every
    frame of the videos it is applied to, so colours flicker; ``per_clip=True``
    draws once for each clip.

    Required Keys:

    - imgs: RGB uint8
    - clip_len: with ``per_clip``

    Modified Keys:

    - imgs

    Args:
        prob: Share of videos that are changed.
        brightness: Factors are drawn from [1 - brightness, 1 + brightness].
        contrast: As ``brightness``.
        saturation: As ``brightness``.
        hue: Shifts are drawn from [-hue, hue] of the colour circle, at most 0.5.
        per_clip: Whether all frames of a clip get the same change.

    Raises:
        ValueError: A value outside its range.

    Source: the recipe of microsoft/VideoX, X-CLIP/datasets/pipeline.py, which jitters
    with torchvision.
    """

    def __init__(
        self,
        prob: float = 0.8,
        *,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.2,
        hue: float = 0.1,
        per_clip: bool = False,
    ) -> None:
        limits = dict(prob=1, brightness=1, contrast=1, saturation=1, hue=0.5)
        given = (prob, brightness, contrast, saturation, hue)
        for (name, limit), value in zip(limits.items(), given, strict=True):
            if not 0 <= value <= limit:
                raise ValueError(f'{name} must be in [0, {limit}], got {value}')
        self.prob = prob
        self.per_clip = per_clip
        self._changes: list[tuple[Callable, float, float]] = [
            (adjust_brightness, 1 - brightness, 1 + brightness),
            (adjust_contrast, 1 - contrast, 1 + contrast),
            (adjust_saturation, 1 - saturation, 1 + saturation),
            (adjust_hue, -hue, hue),
        ]

    def _draw(self) -> list[tuple[Callable, float]]:
        order = np.random.permutation(len(self._changes))
        drawn = [self._changes[i] for i in order]
        return [(change, np.random.uniform(low, up)) for change, low, up in drawn]

    def transform(self, results: dict) -> dict:
        """Jitter the frames."""
        if np.random.rand() >= self.prob:
            return results
        frames_per_draw = results['clip_len'] if self.per_clip else 1
        changes: list[tuple[Callable, float]] = []
        frames = []
        for number, frame in enumerate(results['imgs']):
            if number % frames_per_draw == 0:
                changes = self._draw()
            image = np.ascontiguousarray(frame)
            for adjust, amount in changes:
                image = adjust(image, amount)
            frames.append(image)
        return results | dict(imgs=frames)

    def __repr__(self) -> str:
        ranges = ', '.join(f'({low:g}, {up:g})' for _, low, up in self._changes)
        name = type(self).__name__
        return f'{name}(prob={self.prob}, {ranges}, per_clip={self.per_clip})'


@TRANSFORMS.register_module()
class VideoGrayscale(BaseTransform):
    """Take the colour from all frames of a video at random.

    Required Keys:

    - imgs: RGB uint8

    Modified Keys:

    - imgs

    Args:
        prob: Share of videos that lose their colour.

    Raises:
        ValueError: ``prob`` outside [0, 1].

    Source: the recipe of microsoft/VideoX, X-CLIP/datasets/pipeline.py.
    """

    def __init__(self, prob: float = 0.2) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], got {prob}')
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Make the frames grey, or leave them."""
        if np.random.rand() < self.prob:
            results['imgs'] = [grayscale(image) for image in results['imgs']]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'
