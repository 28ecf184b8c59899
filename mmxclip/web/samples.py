"""Clips to try the page with: drawn, so that nothing is downloaded."""

from pathlib import Path

import numpy as np

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip, write_clip

_ACTIONS = (
    ShapeAction('circle', 'red', 'moving left'),
    ShapeAction('triangle', 'yellow', 'growing'),
    ShapeAction('square', 'blue', 'turning clockwise'),
)
_FRAMES, _SIZE = 32, 256  # four seconds each, as long as a window of a timeline
_QP = 28  # small files


def draw_samples(folder: Path) -> list[tuple[str, str]]:
    """Write a clip of each of three actions, and one of all in turn.

    Args:
        folder: It must be there.

    Returns:
        Path of each clip, and texts to compare it with.
    """
    rng = np.random.default_rng(0)
    clips = {str(action): draw_clip(action, rng, _FRAMES, _SIZE) for action in _ACTIONS}
    clips['three actions'] = np.concatenate(list(clips.values()))
    paths = [folder / f'{name}.mp4' for name in clips]
    for path, frames in zip(paths, clips.values(), strict=True):
        write_clip(path, frames, _QP)
    return [(str(path), ', '.join(MOTIONS)) for path in paths]
