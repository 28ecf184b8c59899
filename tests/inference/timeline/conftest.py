"""A film of motions."""

import numpy as np
import pytest

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter


@pytest.fixture
def film(tmp_path) -> str:
    """Five motions of two seconds each, and half a second more: 84 frames."""
    path = tmp_path / 'film.mp4'
    rng = np.random.default_rng(0)
    clips = [
        draw_clip(ShapeAction('square', 'green', motion), rng)
        for motion in list(MOTIONS)[:6]
    ]
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for frame in np.concatenate(clips)[:84]:
            video.write_image(frame)
    return str(path)
