"""Films to be indexed, and what an index consists of."""

from pathlib import Path

import numpy as np

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter

CUT = dict(window=1.5, stride=0.5)


def write_film(path: Path, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    motions = rng.choice([*MOTIONS], size=3)
    clips = [draw_clip(ShapeAction('square', 'green', m), rng) for m in motions]
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps=8, gop=16, options=dict(qp='14')) as video:
        for frame in np.concatenate(clips)[:frames]:
            video.write_image(frame)


def contents(index: str) -> dict[str, bytes]:
    """All files of an index, hidden ones too."""
    files = [path for path in Path(index).rglob('*') if path.is_file()]
    return {path.relative_to(index).as_posix(): path.read_bytes() for path in files}
