"""How well ranges of time with labels agree with the true ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def frame_accuracy(
    found: Sequence[Any], true: Sequence[Any], *, duration: float, fps: float
) -> float:
    """Return the share of frames that have the right label, or rightly none.

    Args:
        found: Ranges, objects with ``label``, ``start`` and ``end`` in seconds.
        true: The true ones; neither should overlap.
        duration: Seconds of the film.
        fps: Frames per second.
    """
    times = (np.arange(round(duration * fps)) + 0.5) / fps
    labels = []
    for ranges in (found, true):
        of_frame = np.full(len(times), None, dtype=object)
        for one in ranges:
            of_frame[(times >= one.start) & (times < one.end)] = one.label
        labels.append(of_frame)
    return float(np.mean(labels[0] == labels[1]))


def range_f1(found: Sequence[Any], true: Sequence[Any], iou: float = 0.5) -> float:
    """Return the F1 score of ranges, as temporal action segmentation counts it.

    A range is right if it overlaps a true one of its label, which no other has taken,
    by enough of both.

    Args:
        found: Ranges, see :func:`frame_accuracy`, in the order of their choice.
        true: The true ones.
        iou: Least intersection over union.

    References:
        Lea et al., Temporal Convolutional Networks for Action Segmentation and
        Detection (https://arxiv.org/abs/1611.05267), section 4.
    """
    free = list(true)
    right = 0
    for one in found:
        best = max(free, key=lambda other: _iou(one, other), default=None)
        if best is not None and _iou(one, best) >= iou:
            free.remove(best)
            right += 1
    return 2 * right / max(len(found) + len(true), 1)


def _iou(one: Any, other: Any) -> float:
    if one.label != other.label:
        return 0.0
    common = min(one.end, other.end) - max(one.start, other.start)
    union = max(one.end, other.end) - min(one.start, other.start)
    return max(common, 0.0) / union if union else 0.0
