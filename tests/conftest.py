"""Fixtures for the whole suite."""

import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import mmengine.config.config
import numpy as np
import pytest
import torch
from hub_server import Hub
from mmengine.registry import init_default_scope

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip

pytest_plugins = ['chromium', 'running']

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
def siglip(tmp_path_factory) -> str:
    """Folder of a SigLIP at toy size, 32 pixels and 32 channels, with a tokenizer."""
    pairs = pytest.importorskip('huggingface_pairs', reason='needs transformers')
    folder = tmp_path_factory.mktemp('siglip')
    pairs.save_pair(pairs.siglip, folder)
    return str(folder)


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
