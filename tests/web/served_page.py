"""Starting the page, and films for it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip
from mmxclip.datasets.writers.video_writer import VideoWriter

# Notes with whom the server talks.
SERVER = """
import runpy, sys

def watch(event, args):
    if event == 'socket.connect' and isinstance(args[1], tuple):
        print('CONNECTS', args[1][0], flush=True)
    elif event == 'socket.getaddrinfo':
        print('CONNECTS', args[0], flush=True)

sys.addaudithook(watch)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""
LIMITS = dict(megabytes=0.5, seconds=30, words=4, characters=40, waiting=2)
PATIENCE = 120  # seconds for the server to start


def write_film(path: Path, count: int, size: int = 64) -> str:
    """Encode motions of two seconds each, as browsers play them."""
    rng = np.random.default_rng(0)
    names = list(MOTIONS) * 9
    clips = [draw_clip(ShapeAction('square', 'red', m), rng) for m in names[:count]]
    with VideoWriter(path, fps=8, gop=8, options=dict(crf='20')) as video:
        for frame in np.concatenate(clips):
            large = np.kron(frame, np.ones((size // 32, size // 32, 1), np.uint8))
            video.write_image(large)
    return str(path)


@dataclass
class Page:
    """A server with what it serves."""

    url: str
    process: subprocess.Popen
    log: Path
    temporary: Path
    config: str
    checkpoint: str
    films: Path
    index: Path
    film: str
