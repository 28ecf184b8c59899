"""Starting the page, and films for it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip, write_clip

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
LIMITS = dict(megabytes=0.5, seconds=30, words=8, characters=40, waiting=2)
PATIENCE = 120  # seconds for the server to start
USER = ('somebody', 'a password')


def write_film(path: Path, count: int, size: int = 64) -> str:
    """Encode motions of two seconds each, as browsers play them."""
    rng = np.random.default_rng(0)
    names = list(MOTIONS) * 9
    clips = [draw_clip(ShapeAction('square', 'red', m), rng) for m in names[:count]]
    scale = np.ones((size // 32, size // 32, 1), np.uint8)
    write_clip(path, np.kron(np.concatenate(clips), scale[None]))
    return str(path)


@contextlib.contextmanager
def started(root, script, args, work, **variables):
    """Run a script that serves the page; yield its port, log and folder of uploads."""
    (work / 'temporary').mkdir()
    log = work / 'log'
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    variables |= dict(
        TMPDIR=str(work / 'temporary'),
        PYTHONPATH=str(root),
        PYTHONUNBUFFERED='1',
        GRADIO_SERVER_PORT=str(port),
    )
    command = [sys.executable, '-c', SERVER, str(root / script), *map(str, args)]
    environ = os.environ | variables
    with (
        log.open('w') as file,
        subprocess.Popen(
            command, cwd=work, env=environ, stdout=file, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            end = time.monotonic() + PATIENCE
            while 'Running on' not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.2)
            yield port, log, work / 'temporary'
        finally:
            process.terminate()
    assert not list((work / 'temporary').glob('mmxclip-web-*')), 'uploads are left'


@dataclass
class Page:
    """A server with what it serves."""

    url: str
    log: Path
    temporary: Path
    config: str
    checkpoint: str
    films: Path
    index: Path
    film: str
