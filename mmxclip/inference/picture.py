"""Pictures of predictions: the frames the model saw, the scores as bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmxclip.inference.figures import film_strip, render, shortened

MAX_BARS = 10
_WIDTH = 10.0  # inches
_FIRST, _OTHERS, _TEXT = '#d1495b', '#9aa5b1', '#1f2933'


def draw_prediction(
    frames: np.ndarray, scores: Mapping[str, float], title: str = ''
) -> np.ndarray:
    """Draw a film strip above a bar chart. Needs no display.

    Args:
        frames: RGB frames in order, uint8 (T, H, W, 3).
        scores: Probability of each class; the best ten are drawn, best first.
        title: A line above the strip, such as the file's name.

    Returns:
        RGB picture, uint8 (height, width, 3).

    Raises:
        ValueError: There are no frames or no scores.
    """
    if frames.ndim != 4 or not len(frames) or not scores:
        raise ValueError(
            'a picture needs frames and scores, got frames (T, H, W, 3) of shape '
            f'{frames.shape} and {len(scores)} scores'
        )
    strip = film_strip(frames)
    best = sorted(scores.items(), key=lambda item: -item[1])[:MAX_BARS]
    heights = (_WIDTH * 0.96 * len(strip) / strip.shape[1], 0.4 + 0.34 * len(best))

    def draw(figure: Figure) -> None:
        figure.set_size_inches(_WIDTH, sum(heights) + 0.6)
        top, bottom = figure.subplots(2, 1, height_ratios=heights)
        top.imshow(strip, interpolation='nearest', aspect='equal')
        top.set_title(title, loc='left', fontsize=12, color=_TEXT, parse_math=False)
        top.axis('off')
        _draw_bars(bottom, best)

    return render(draw, layout='constrained')


def _draw_bars(axes: Axes, best: list[tuple[str, float]]) -> None:
    names = [shortened(name) for name, _ in best]
    values = [score for _, score in best]
    rows = range(len(best))
    colours = [_FIRST] + [_OTHERS] * (len(best) - 1)
    axes.barh(rows, values, color=colours, height=0.7)
    for row, value in zip(rows, values, strict=True):
        axes.text(value + 0.008, row, f'{value:.1%}', va='center', color=_TEXT)
    axes.set_yticks(rows, names, fontsize=11, color=_TEXT, parse_math=False)
    axes.set_xlim(0, 1.08)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.tick_params(length=0)
    for side in ('top', 'right', 'bottom'):
        axes.spines[side].set_visible(False)
