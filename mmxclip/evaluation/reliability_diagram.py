"""A picture of how often probabilities are right."""

import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmxclip.evaluation.calibration import Reliability, reliability, summary
from mmxclip.utils.files import atomic


def draw_reliability(
    path: str | os.PathLike, probabilities: Mapping[str, Tensor], labels: Tensor
) -> None:
    """Draw reliability diagrams side by side: accuracy of videos by confidence.

    Args:
        path: The picture, PNG; is replaced.
        probabilities: Title -> probabilities (N, K).
        labels: Classes (N,).
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to import)

    figure = Figure(figsize=(9, 4.5), layout='constrained')
    for axes, (name, found) in zip(
        figure.subplots(1, len(probabilities), sharey=True),
        probabilities.items(),
        strict=True,
    ):
        confidence, best = found.max(dim=1)
        bins = reliability(confidence, best == labels)
        _draw_bins(axes, bins)
        error = summary(found, labels)['ece']
        axes.set(title=f'{name}: ECE {error:.3f}', xlabel='confidence')
        axes.set(xlim=(0, 1), ylim=(0, 1))
    figure.axes[0].set_ylabel('accuracy (numbers: videos)')
    with atomic(path) as place:
        figure.savefig(place, dpi=120, format='png')


def _draw_bins(axes: Any, bins: Reliability) -> None:
    width = 1 / len(bins.count)
    left = [n * width for n in range(len(bins.count))]
    axes.bar(
        left,
        bins.accuracy,
        width,
        align='edge',
        color='lightsteelblue',
        edgecolor='white',
    )
    axes.plot([0, 1], [0, 1], color='black', linestyle='--', linewidth=1)
    for start, count, height in zip(left, bins.count, bins.accuracy, strict=True):
        if count:
            axes.annotate(
                f'{int(count)}',
                (start + width / 2, min(float(height) + 0.01, 0.96)),
                ha='center',
                fontsize=7,
            )
