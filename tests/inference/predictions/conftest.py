"""Videos of many kinds, and a model with a decoder that breaks down."""

import os
import shutil
import signal
import tarfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.config import Config

from mmxclip.datasets import VideoInit, VideoReader

LABELS = 'a dog runs, a cat sleeps, growing'


@TRANSFORMS.register_module()
class FragileInit(VideoInit):
    """A decoder that does what a file is called."""

    def transform(self, results):
        name = Path(results['filename']).stem
        if name == 'crash':
            os.kill(os.getpid(), signal.SIGKILL)
        if name == 'hang' and not Path('awake').exists():
            time.sleep(1000)
        return super().transform(results)


@pytest.fixture
def model(config_file, checkpoint, monkeypatch):
    """Options of the tool, in an empty folder, for a model with a fragile decoder."""
    monkeypatch.chdir(config_file.parent)
    cfg = Config.fromfile(config_file)
    cfg.test_dataloader.dataset.pipeline[0].type = 'FragileInit'
    cfg.dump(config_file)
    options = ['--model', config_file, '--checkpoint', checkpoint, '--device', 'cpu']
    return [*options, '--labels', LABELS]


@pytest.fixture
def films(videos, tmp_path):
    """Copies of the two videos by name."""

    def make(*names):
        folder = tmp_path / 'films'
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            shutil.copy(videos[number % 2], folder / name)
        return 'films'

    return make


@pytest.fixture
def everywhere(videos, tmp_path):
    """One video in all places that there are, and the other one among them."""
    with VideoReader(videos[0]) as reader:
        frames = reader.get_batch(range(len(reader)))
    (tmp_path / 'tree/frames').mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        file = tmp_path / f'tree/frames/img_{number:05}.png'
        cv2.imwrite(str(file), frame[..., ::-1])
    shutil.copy(videos[1], tmp_path / 'tree/other.mp4')
    (tmp_path / 'web').mkdir()
    shutil.copy(videos[0], tmp_path / 'web/there.mp4')
    with tarfile.open(tmp_path / 'videos.tar', 'w') as archive:
        archive.add(videos[0], 'a/inside.mp4')
        archive.add(videos[1], 'b/other.mp4')
    shutil.copy(tmp_path / 'videos.tar', tmp_path / 'whole.tar')
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / 'web'))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        address = f'http://127.0.0.1:{server.server_port}/there.mp4'
        yield ['tree', 'clip*.mp4', 'videos.tar/a/inside.mp4', 'whole.tar', address]
        server.shutdown()
