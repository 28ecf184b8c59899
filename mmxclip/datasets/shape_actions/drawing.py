"""Shape actions: short clips of a shape that does one of eight things.

A data set that needs no download and on which a video model has to look at
the order of the frames. Appearance (shape, colour) and motion are independent,
so the same clips serve for the eight motions ('moving left') and for
compositions ('a red circle moving left').

No single frame tells the motion. Each clip draws a full path for position,
size and angle; its motion says which one is played, and the others stay at the
value of a random moment of their own paths. Hence a frame taken at a random
time has the same distribution in every class, and opposite motions are each
other in reverse.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

COLOURS: dict[str, tuple[int, int, int]] = {
    'red': (245, 75, 65),
    'green': (75, 215, 90),
    'blue': (90, 140, 255),
    'yellow': (245, 215, 50),
    'purple': (205, 95, 240),
    'white': (245, 245, 245),
}
SHAPES: tuple[str, ...] = ('circle', 'square', 'triangle', 'diamond')
# What each motion plays, and in which direction. Image coordinates: x grows to
# the right, y grows downwards, a growing angle turns clockwise.
MOTIONS: dict[str, tuple[str, int]] = {
    'moving left': ('x', -1),
    'moving right': ('x', 1),
    'moving up': ('y', -1),
    'moving down': ('y', 1),
    'growing': ('log_radius', 1),
    'shrinking': ('log_radius', -1),
    'turning clockwise': ('angle', 1),
    'turning counter-clockwise': ('angle', -1),
}

# Per attribute: how far it travels in a clip (drawn uniformly) and the range
# that its path stays in. Lengths are fractions of the frame; angles, radians.
_PATHS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    'x': ((0.4, 0.55), (0.16, 0.84)),
    'y': ((0.4, 0.55), (0.16, 0.84)),
    'log_radius': ((np.log(2.2), np.log(2.9)), (np.log(0.12), np.log(0.36))),
    'angle': ((2.45, 3.3), (-1.9, 1.9)),
}


@dataclass(frozen=True)
class ShapeAction:
    """What happens in one clip.

    Args:
        shape: one of :data:`SHAPES`.
        colour: a key of :data:`COLOURS`.
        motion: a key of :data:`MOTIONS`.
    """

    shape: str
    colour: str
    motion: str

    def __str__(self) -> str:
        return f'a {self.colour} {self.shape} {self.motion}'


def all_actions() -> list[ShapeAction]:
    """Return every combination of shape, colour and motion (192)."""
    return [ShapeAction(*parts) for parts in product(SHAPES, COLOURS, MOTIONS)]


def draw_paths(
    motion: str, rng: np.random.Generator, num_frames: int
) -> dict[str, np.ndarray]:
    """Draw where the shape is, how large and how turned in every frame.

    Args:
        motion: a key of :data:`MOTIONS`.
        rng: source of randomness.
        num_frames: T, number of frames.

    Returns:
        ``x``, ``y`` and ``log_radius`` (fractions of the frame's side; natural
        logarithm for the radius) and ``angle`` (radians, clockwise), each (T,).
    """
    moving, direction = MOTIONS[motion]
    time = np.linspace(-0.5, 0.5, num_frames)
    paths = {}
    for name, (travels, (low, high)) in _PATHS.items():
        travel = rng.uniform(*travels)
        middle = rng.uniform(low + travel / 2, high - travel / 2)
        moment = rng.choice(time)
        when = direction * time if name == moving else np.full(num_frames, moment)
        paths[name] = middle + travel * when
    return paths


def draw_clip(
    action: ShapeAction,
    rng: np.random.Generator,
    num_frames: int = 16,
    size: int = 32,
) -> np.ndarray:
    """Draw the frames of one clip.

    Args:
        action: what happens.
        rng: source of randomness.
        num_frames: T, number of frames.
        size: side of the square frame in pixels.

    Returns:
        RGB frames, uint8, (T, size, size, 3).
    """
    paths = draw_paths(action.motion, rng, num_frames)
    coverage, shade = _rasterise(action.shape, paths, size)  # (T, S, S) each
    ink = np.asarray(COLOURS[action.colour]) * shade[..., None]
    background = _background(rng, num_frames, size)
    frames = background + coverage[..., None] * (ink - background)
    frames += rng.normal(0, 6, frames.shape)
    return frames.round().clip(0, 255).astype(np.uint8)


def cover_clip(
    action: ShapeAction,
    rng: np.random.Generator,
    num_frames: int = 16,
    size: int = 32,
) -> np.ndarray:
    """Say where the shape is in the clip that :func:`draw_clip` draws.

    Args:
        action: what happens.
        rng: in the state in which :func:`draw_clip` got it.
        num_frames: T, number of frames.
        size: side of the square frame in pixels.

    Returns:
        How much of each pixel the shape covers, in [0, 1], (T, size, size).
    """
    paths = draw_paths(action.motion, rng, num_frames)
    return _rasterise(action.shape, paths, size)[0]


def _background(rng: np.random.Generator, num_frames: int, size: int) -> np.ndarray:
    """Grey blotches that stay and flicker, below every colour: (T, S, S, 1)."""
    cells = 4
    grid = np.linspace(0, cells - 1, size)
    left = np.minimum(grid.astype(int), cells - 2)
    weights = np.zeros((size, cells))  # bilinear interpolation as a matrix
    weights[np.arange(size), left] = left + 1 - grid
    weights[np.arange(size), left + 1] = grid - left
    blotches = rng.uniform(20, 80, (1, cells, cells))
    flicker = rng.normal(0, 6, (num_frames, cells, cells))
    return (weights @ (blotches + flicker) @ weights.T)[..., None]


def _rasterise(
    shape: str, paths: dict[str, np.ndarray], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how much of each pixel is covered and how bright: (T, S, S) each.

    The lower half of a shape, in its own upright position, is dark, so that
    turning shows on every shape, a circle included.
    """
    pixels = (np.arange(size) + 0.5) / size
    dx = pixels[None, None, :] - paths['x'][:, None, None]
    dy = pixels[None, :, None] - paths['y'][:, None, None]
    angle = paths['angle'][:, None, None]
    radius = np.exp(paths['log_radius'])[:, None, None]
    u = (np.cos(angle) * dx + np.sin(angle) * dy) / radius
    v = (np.cos(angle) * dy - np.sin(angle) * dx) / radius
    per_unit = radius * size  # pixels per unit of (u, v): edges one pixel soft
    coverage = np.clip(0.5 - _distance(shape, u, v) * per_unit, 0, 1)
    dark = np.clip(0.5 + v * per_unit, 0, 1)
    return coverage, 1 - 0.55 * dark


def _distance(shape: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Distance to the outline of a shape of radius 1; negative inside."""
    if shape == 'circle':
        return np.hypot(u, v) - 0.9
    if shape == 'square':
        return np.maximum(np.abs(u), np.abs(v)) - 0.8
    if shape == 'diamond':
        return (np.abs(u) + 0.7 * np.abs(v) - 0.75) / np.hypot(1, 0.7)
    if shape == 'triangle':
        return np.maximum(v - 0.6, (2 * np.abs(u) - v - 1) / np.hypot(2, 1))
    raise ValueError(f'shape {shape!r} is unknown; choose from {SHAPES}')
