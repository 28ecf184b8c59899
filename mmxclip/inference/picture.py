"""Pictures of predictions: the frames the model saw, the scores as bars."""

import warnings
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

MAX_BARS = 10
_FRAMES_PER_ROW = 8
_WIDTH = 10.0  # inches
_MORE_SCRIPTS = (
    'Noto Sans CJK SC',
    'Noto Sans CJK JP',
    'WenQuanYi Zen Hei',
    'Microsoft YaHei',
    'PingFang SC',
    'Arial Unicode MS',
)
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
    with rc_context({'font.family': font_names()}), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing')  # shown as a box
        return _draw(frames, scores, title)


def _draw(frames: np.ndarray, scores: Mapping[str, float], title: str) -> np.ndarray:
    strip = film_strip(frames)
    best = sorted(scores.items(), key=lambda item: -item[1])[:MAX_BARS]
    strip_height = _WIDTH * 0.96 * strip.shape[0] / strip.shape[1]
    bars_height = 0.4 + 0.34 * len(best)
    figure = Figure(
        figsize=(_WIDTH, strip_height + bars_height + 0.6),
        dpi=110,
        facecolor='white',
        layout='constrained',
    )
    canvas = FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=[strip_height, bars_height])
    top.imshow(strip, interpolation='nearest', aspect='equal')
    top.set_title(title, loc='left', fontsize=12, color=_TEXT, parse_math=False)
    top.axis('off')
    _draw_bars(bottom, best)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


@lru_cache
def font_names() -> list[str]:
    """Return matplotlib's own font, then those here that know more scripts."""
    installed = {font.name for font in fontManager.ttflist}
    return ['DejaVu Sans', *(name for name in _MORE_SCRIPTS if name in installed)]


def film_strip(frames: np.ndarray) -> np.ndarray:
    """Lay the frames out in rows of eight, white in between."""
    num_frames, height, width, _ = frames.shape
    columns = min(num_frames, _FRAMES_PER_ROW)
    rows = -(-num_frames // columns)
    gap = max(1, width // 24)
    strip = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8
    )
    for i, frame in enumerate(frames):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        strip[y : y + height, x : x + width] = frame
    return strip


def _draw_bars(axes: Axes, best: list[tuple[str, float]]) -> None:
    names = [name if len(name) <= 48 else f'{name[:47]}…' for name, _ in best]
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
