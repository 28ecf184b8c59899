"""Pictures of explanations: maps over the frames, frames, deletion, messages."""

from functools import partial

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmxclip.inference.explanation import Explanation
from mmxclip.inference.figures import film_strip, render, shortened

_WIDTH = 12.0  # inches
_MOST_LABELS = 3
_SIDE = 96  # pixels of a matrix, at least
_FOR, _RANDOM, _TEXT = '#d1495b', '#9aa5b1', '#1f2933'


def draw_explanation(found: Explanation) -> np.ndarray:
    """Draw where the best three labels look, and what the best one rests on.

    Args:
        found: What :func:`explain` returns.

    Returns:
        RGB picture, uint8 (height, width, 3).
    """
    return render(partial(_draw, found))


def _draw(found: Explanation, figure: Figure) -> None:
    strips = [
        (_title_of(found, label), _map_strip(found, label))
        for label in found.scores.argsort()[::-1][:_MOST_LABELS]
    ]
    if len(found.messages):
        title = (
            'attention among the message tokens, block by block, mean over heads, 0 '
            f'to {found.messages.max():.2f}: what each frame (row) takes of each '
            '(column), not what decides'
        )
        strips.append((title, _message_strip(found.messages)))
    heights = [_WIDTH * 0.96 * len(strip) / strip.shape[1] for _, strip in strips]
    heights.append(1.8)
    figure.set_size_inches(_WIDTH, sum(heights) + 0.4 * len(heights))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    for row, (title, strip) in enumerate(strips):
        axes = figure.add_subplot(grid[row, :])
        axes.imshow(strip, interpolation='nearest')
        axes.set_title(title, loc='left', fontsize=9, color=_TEXT, parse_math=False)
        axes.axis('off')
    _draw_contributions(figure.add_subplot(grid[-1, 0]), found)
    _draw_deletion(figure.add_subplot(grid[-1, 1]), found)
    figure.tight_layout(h_pad=0.6)


def _title_of(found: Explanation, label: int) -> str:
    return (
        f'{shortened(found.labels[label])}  {found.scores[label]:.1%}   (red: hiding '
        'it makes the label less likely; blue: more)'
    )


def _map_strip(found: Explanation, label: int) -> np.ndarray:
    """Lay the map of a label over the frames, without colour of their own."""
    height, width = found.frames.shape[1:3]
    heat = found.maps[label].repeat(found.patch, 1).repeat(found.patch, 2)
    heat = heat[:, :height, :width]
    heat = heat / max(float(np.abs(heat).max()), 1e-6)
    colours = mpl.colormaps['bwr'](heat / 2 + 0.5)[..., :3]
    weight = 0.7 * np.abs(heat[..., None])
    grey = found.frames.mean(axis=3, keepdims=True) / 255
    return film_strip(_to_bytes((1 - weight) * grey + weight * colours))


def _message_strip(messages: np.ndarray) -> np.ndarray:
    size = max(_SIDE // messages.shape[1], 1)
    large = messages.repeat(size, 1).repeat(size, 2) / messages.max()
    strip = film_strip(_to_bytes(mpl.colormaps['viridis'](large)[..., :3]))
    # As wide as eight, so that a few do not fill the page.
    missing = 8 * large.shape[2] - strip.shape[1]
    return np.pad(strip, ((0, 0), (0, max(missing, 0)), (0, 0)), constant_values=255)


def _draw_contributions(axes: Axes, found: Explanation) -> None:
    values = found.contributions[found.best]
    axes.bar(range(1, len(values) + 1), values, color=_FOR)
    axes.axhline(0, color=_TEXT, lw=0.6)
    how = 'left out' if found.left_out else 'hidden'
    label = shortened(found.labels[found.best])
    title = f'log-odds of "{label}" lost when a frame is {how}'
    axes.set_title(title, fontsize=9, color=_TEXT, parse_math=False)
    axes.set_xlabel('frame', fontsize=9)


def _draw_deletion(axes: Axes, found: Explanation) -> None:
    curves = found.deletion
    axes.plot(curves.hidden, curves.at_random.T, color=_RANDOM, lw=0.8)
    axes.plot(curves.hidden, curves.by_map, color=_FOR)
    axes.set_title(
        'its probability while squares are hidden: in the order of the map (red), at '
        'random (grey)',
        fontsize=9,
        color=_TEXT,
    )
    axes.set_xlabel('share of the squares that is hidden', fontsize=9)
    axes.set_ylim(0, 1.02)


def _to_bytes(pixels: np.ndarray) -> np.ndarray:
    return (255 * pixels).round().astype(np.uint8)
