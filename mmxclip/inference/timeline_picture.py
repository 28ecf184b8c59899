"""Pictures of timelines: the film above a map of its classes over time."""

import warnings

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmxclip.inference.picture import font_names
from mmxclip.inference.thumbnails import spread
from mmxclip.inference.timeline import Timeline

_WIDTH = 12.0  # inches
_MOST_CLASSES = 20


def draw_timeline(timeline: Timeline) -> np.ndarray:
    """Draw a strip of the film and a heat map of class by time, with the ranges.

    Of many classes, the 20 with the highest scores are drawn.

    Args:
        timeline: Of one window or more.

    Returns:
        RGB picture, uint8 (height, width, 3).
    """
    with rc_context({'font.family': font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')  # shown as a box
        return _draw(timeline)


def _draw(timeline: Timeline) -> np.ndarray:
    scores = np.stack([window.scores for window in timeline.windows], axis=1)  # (K, W)
    chosen = np.sort(scores.max(axis=1).argsort()[::-1][:_MOST_CLASSES])
    figure = Figure(
        figsize=(_WIDTH, 1.6 + 0.3 * len(chosen)), dpi=110, facecolor='white'
    )
    canvas = FigureCanvasAgg(figure)
    top, bottom = figure.subplots(
        2, 1, height_ratios=[1, 0.3 * len(chosen)], sharex=True
    )
    _draw_strip(top, timeline)
    _draw_map(bottom, timeline, scores, chosen)
    figure.tight_layout(h_pad=0.3)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_strip(axes: Axes, timeline: Timeline) -> None:
    if timeline.thumbnails:
        height, width, _ = timeline.thumbnails[0].shape
        count = max(round(0.8 * _WIDTH * height / width), 1)
        strip = np.concatenate(spread(timeline.thumbnails, count), axis=1)
        axes.imshow(strip, extent=(0, timeline.duration, 0, 1), aspect='auto')
    axes.axis('off')


def _draw_map(
    axes: Axes, timeline: Timeline, scores: np.ndarray, chosen: np.ndarray
) -> None:
    middles = [(window.start + window.end) / 2 for window in timeline.windows]
    borders = (np.array(middles[1:]) + middles[:-1]) / 2
    edges = np.array([timeline.windows[0].start, *borders, timeline.duration])
    rows = np.arange(len(chosen) + 1) - 0.5
    axes.pcolormesh(edges, rows, scores[chosen], cmap='viridis', vmin=0, vmax=1)
    names = [timeline.labels[label] for label in chosen]
    for found in timeline.ranges:
        if found.label in names:
            row = names.index(found.label)
            axes.plot((found.start, found.end), (row, row), color='white', lw=2)
    shown = [name if len(name) <= 40 else f'{name[:39]}…' for name in names]
    axes.set_yticks(range(len(chosen)), shown, parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda x, _: f'{int(x) // 60}:{x % 60:04.1f}')
    axes.set_xlim(0, timeline.duration)
