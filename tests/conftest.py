"""Fixtures for the whole suite."""

import contextlib
import io
import multiprocessing
import os
import random
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import mmengine.config.config
import numpy as np
import pytest
import torch
from hub_server import Hub
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.visualization import Visualizer

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip

ROOT = Path(__file__).resolve().parent.parent
TORCHVISION = ROOT / '.cache/torchvision'


def pytest_collection_modifyitems(items):
    """Whatever starts processes is slow."""
    for item in items:
        if {'command', 'two_processes'} & set(item.fixturenames):
            item.add_marker('slow')


@pytest.fixture(autouse=True)
def _seed():
    """Start every test from the same random state."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _own_log():
    """Let no test write into the log file of another one."""
    yield
    close_logs()


def close_logs():
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            handler.close()
    MMLogger._instance_dict.clear()


@contextlib.contextmanager
def fresh_mmengine():
    """Forget what MMEngine keeps by the names of runs, as a new process does."""
    with pytest.MonkeyPatch.context() as patch:
        for kept in (DefaultScope, MessageHub, MMLogger, Visualizer):
            patch.setattr(kept, '_instance_dict', OrderedDict())
        try:
            yield
        finally:
            close_logs()


@pytest.fixture(scope='session', autouse=True)
def _scope():
    """Let types be found in MMAction2's registries, as a Runner does."""
    init_default_scope('mmaction')


@pytest.fixture(scope='session', autouse=True)
def _ctrl_c():
    """Hear Ctrl-C also where a shell has started the tests in its background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope='session', autouse=True)
def _plain_configs():
    """Write configs without laying them out, which takes longer than a training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine.config.config, 'FormatCode', lambda text, **_: (text, 0))
        yield


@pytest.fixture(scope='session')
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope='session')
def shared() -> Path:
    """Reference numbers, real clips and lists that live beside the repository."""
    path = ROOT.parent / 'shared'
    if not path.is_dir():
        pytest.skip(f'no reference material beside the repository ({path})')
    return path


@pytest.fixture(scope='session')
def mmpretrain() -> None:
    """MMPretrain's models, whose import needs torchvision.

    Where no torchvision fits torch, as with builds for the CPU alone, the Python half
    of it that `make test` keeps is enough: nothing here calls its compiled operators.
    """
    try:
        import mmpretrain.models  # noqa: PLC0415
    except (ImportError, RuntimeError) as error:
        if not TORCHVISION.is_dir():
            pytest.skip(f'{error}: `make test` downloads torchvision')
        boxes = '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'
        for name in ('nms', 'qnms'):
            torch.library.define(f'torchvision::{name}', boxes)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(TORCHVISION)
            import mmpretrain.models  # noqa: F401, PLC0415


@pytest.fixture
def tiny_model() -> dict:
    """Config of a whole X-CLIP at toy size: 32 pixels, 4 frames, 5 classes."""
    return dict(
        type='Recognizer3D',
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            format_shape='NCTHW',
        ),
        backbone=dict(
            type='XCLIPViT',
            arch=dict(
                img_size=32,
                patch_size=16,
                embed_dims=32,
                depth=2,
                num_heads=2,
                out_dims=16,
            ),
        ),
        neck=dict(type='MIT', embed_dims=16, num_frames=4, num_heads=2),
        cls_head=dict(
            type='XCLIPHead',
            classes=['archery', 'bowling', 'canoeing', 'dancing', 'eating'],
            text_encoder=dict(
                type='CLIPTextEncoder',
                arch=dict(
                    embed_dims=16,
                    depth=2,
                    num_heads=2,
                    out_dims=16,
                    context_length=77,
                    vocab_size=49408,
                ),
            ),
            prompt=dict(
                type='VideoSpecificPrompt',
                embed_dims=16,
                context_dims=32,
                num_heads=2,
            ),
        ),
        test_cfg=None,
    )


@pytest.fixture(scope='session')
def demo(root) -> Path:
    """Config of the demo."""
    (path,) = (root / 'configs/xclip/demo').glob('*shape-actions*.py')
    return path


@pytest.fixture
def shapes(tmp_path, monkeypatch) -> Path:
    """Where the demo's config looks for videos: 5 for training, 5 for testing."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'data/shape_actions'
    motions = ['moving left', 'moving right', 'moving up', 'moving down', 'growing']
    for split in ('train', 'val'):
        (folder / split).mkdir(parents=True)
        for i, motion in enumerate(motions):
            write_video(folder / f'{split}/{i}.mp4', motion, seed=i)
        lines = [f'{split}/{i}.mp4 {i}' for i in range(len(motions))]
        (folder / f'{split}.txt').write_text('\n'.join(lines))
    return folder


@pytest.fixture(scope='session')
def draw_video() -> Callable[..., None]:
    """See :func:`write_video`."""
    return write_video


def write_video(path: Path, motion: str, *, seed: int) -> None:
    """Encode a clip of 32 x 32 pixels."""
    frames = draw_clip(
        ShapeAction('circle', 'red', motion), np.random.default_rng(seed)
    )
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 8, (32, 32))
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()


@pytest.fixture(scope='session')
def tool(root) -> Callable[..., str]:
    """Run ``python tools/NAME ARGS`` in this process, and return what it prints.

    A failure raises the SystemExit that would be the last line on the screen.
    """

    def run(name: str, *args: object) -> str:
        path = root / 'tools' / name
        printed = io.TextIOWrapper(io.BytesIO(), 'utf-8', write_through=True)
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(printed),
            fresh_mmengine(),
        ):
            patch.setattr(sys, 'argv', [str(path), *map(str, args)])
            patch.syspath_prepend(path.parent)
            try:
                runpy.run_path(str(path), run_name='__main__')
            except SystemExit as end:
                if end.code:
                    raise
        return printed.buffer.getvalue().decode()

    return run


@pytest.fixture
def two_processes(tool) -> Callable[..., list[str]]:
    """Run a tool in two processes, as torchrun does; return what each prints.

    They are forks of this one, which has imported torch and MMAction2.
    """

    def work(writer, rank, port, args):
        place = dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
        place |= dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
        os.environ.update(place, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
        torch.set_num_threads(1)  # threads that did not come along would be waited for
        warnings.simplefilter('ignore')  # no errors, as in a process of its own
        try:
            writer.send((tool(*args, '--launcher', 'pytorch'), None))
        except BaseException:  # also SystemExit
            writer.send(('', traceback.format_exc()))

    def run(*args: object) -> list[str]:
        fork = multiprocessing.get_context('fork')
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            port = str(server.getsockname()[1])
        started = []
        for rank in range(2):
            reader, writer = fork.Pipe(duplex=False)
            process = fork.Process(target=work, args=(writer, rank, port, args))
            process.start()
            writer.close()
            started.append((process, reader))
        printed, errors = zip(*(reader.recv() for _, reader in started), strict=True)
        for process, _ in started:
            process.join()
        assert not any(errors), '\n'.join(filter(None, errors))
        return list(printed)

    return run


@pytest.fixture
def tiny_disk(tmp_path) -> Iterator[Path]:
    """A disk of 256 KB; only root can mount one."""
    folder = tmp_path / 'tiny_disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', str(folder)]
    if not shutil.which('mount') or subprocess.run(mount, check=False).returncode:
        pytest.skip('no right to mount a small disk')
    yield folder
    subprocess.run(['umount', '-l', str(folder)], check=True)


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[Hub]:
    """A Hub, which the client asks in place of the real one, with an empty cache."""
    from huggingface_hub import constants  # noqa: PLC0415

    with Hub() as server:
        template = f'{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}'
        monkeypatch.setattr(constants, 'ENDPOINT', server.url)
        monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', template)
        monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'hub'))
        yield server


@pytest.fixture
def command(tmp_path) -> Callable[..., str]:
    """Run a command as a user does: from elsewhere, with this environment's tools.

    A new process imports torch and MMAction2 for seconds: ``tool`` does without.
    """
    bin_dir = str(Path(sys.executable).parent)
    env = os.environ | dict(PATH=f'{bin_dir}:{os.environ["PATH"]}', OMP_NUM_THREADS='1')

    def run(*args: object, **extra: str) -> str:
        done = subprocess.run(
            [str(arg) for arg in args],
            cwd=tmp_path,
            env=env | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f'{args} failed:\n{done.stdout[-5000:]}'
        return done.stdout

    return run
