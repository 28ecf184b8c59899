"""How true explanations are, on clips of drawn shapes, whose places are known."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, cover_clip, draw_clip
from mmxclip.datasets.shape_actions.drawing import COLOURS, SHAPES
from mmxclip.inference import Explanation, XCLIPInferencer, explain

ON_SHAPE = 0.25  # of a square that the shape covers


def draw_clips(count: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Draw clips that no data set has, the motions in turn.

    Args:
        count: How many.

    Yields:
        The motion; frames (T, S, S, 3); and where the shape is, as frames, too.
    """
    for number in range(count):
        motion = [*MOTIONS][number % len(MOTIONS)]
        seed = [2**21, number]
        rng = np.random.default_rng(seed)
        shape, colour = rng.choice(SHAPES), rng.choice([*COLOURS])
        action = ShapeAction(str(shape), str(colour), motion)
        frames = draw_clip(action, np.random.default_rng([*seed, 1]))
        cover = cover_clip(action, np.random.default_rng([*seed, 1]))
        white = np.repeat((255 * cover[..., None]).round().astype(np.uint8), 3, axis=3)
        yield motion, frames, white


def measure_truth(
    inferencer: XCLIPInferencer,
    clips: Iterable[tuple[str, np.ndarray, np.ndarray]],
    **options: Any,
) -> dict[str, float]:
    """Explain clips, and compare with where their shapes are.

    A square of the map lies on the shape if that covers a quarter of it.

    Args:
        inferencer: A model of the motions, of ``input_format='array'``.
        clips: Two or more, see :func:`draw_clips`.
        **options: Of :func:`explain`.

    Returns:
        dict: ``clips``; ``right``, the share that is labelled so; ``on_shape``, the
        share whose map of the best label has its maximum on the shape; ``chance``, the
        share of all squares that lie on it; the mean probability of the best label
        while squares are hidden, ``by_map`` and ``at_random``; ``p_value`` that the
        first is not lower (Wilcoxon's signed ranks, clips paired, one-sided).
    """
    rows = []
    for motion, frames, white in clips:
        found = explain(inferencer, frames, **options)
        covered = _cover_of_squares(inferencer, white, found) >= ON_SHAPE
        curves = found.deletion
        rows.append(
            (
                found.labels[found.best] == motion,
                covered.flat[found.maps[found.best].argmax()],
                covered.mean(),
                curves.by_map.mean(),
                curves.at_random.mean(),
            )
        )
    columns = np.array(rows, float).T
    names = ('right', 'on_shape', 'chance', 'by_map', 'at_random')
    means = dict(zip(names, columns.mean(axis=1).tolist(), strict=True))
    test = wilcoxon(columns[3], columns[4], alternative='less')
    return dict(clips=len(rows), **means, p_value=float(test.pvalue))


def _cover_of_squares(
    inferencer: XCLIPInferencer, white: np.ndarray, found: Explanation
) -> np.ndarray:
    """Prepare white shapes as the clip was; return their share of squares (T, h, w)."""
    view = inferencer.pipeline(white)['inputs'][found.view, 0].numpy() / 255
    _, rows, columns = found.maps.shape[1:]
    covered = [
        [part.mean(axis=(1, 2)) for part in _cut(band, columns, found.patch, axis=2)]
        for band in _cut(view, rows, found.patch, axis=1)
    ]
    return np.moveaxis(np.array(covered), 2, 0)


def _cut(pixels: np.ndarray, count: int, patch: int, axis: int) -> list[np.ndarray]:
    return np.split(pixels, [patch * i for i in range(1, count)], axis=axis)
