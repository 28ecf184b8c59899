"""Pictures of timelines: the film above a map of its classes over time."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmxclip.inference.figures import render, shortened
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
    scores = np.stack([window.scores for window in timeline.windows], axis=1)  # (K, W)
    chosen = np.sort(scores.max(axis=1).argsort()[::-1][:_MOST_CLASSES])
    heights = (1, 0.3 * len(chosen))

    def draw(figure: Figure) -> None:
        figure.set_size_inches(_WIDTH, sum(heights) + 0.6)
        top, bottom = figure.subplots(2, 1, height_ratios=heights, sharex=True)
        _draw_strip(top, timeline)
        _draw_map(bottom, timeline, scores, chosen)
        figure.tight_layout(h_pad=0.3)

    return render(draw)


def _draw_strip(axes: Axes, timeline: Timeline) -> None:
    if timeline.thumbnails:
        height, width, _ = timeline.thumbnails[0].shape
        count = max(round(0.8 * _WIDTH * height / width), 1)
        places = (np.arange(count) + 0.5) / count * len(timeline.thumbnails)
        shown = [timeline.thumbnails[int(place)] for place in places]
        strip = np.concatenate(shown, axis=1)
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
    shown = [shortened(name, 40) for name in names]
    axes.set_yticks(range(len(chosen)), shown, parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda x, _: f'{int(x) // 60}:{x % 60:04.1f}')
    axes.set_xlim(0, timeline.duration)
