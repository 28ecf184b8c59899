"""Video files and lists for the tests of the data path."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from tar_members import add


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What MMEngine's logger says; it does not hand records on to the root."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    level = logger.level
    logger.setLevel('INFO')  # a runner of another test may have left it at ERROR
    yield caplog
    logger.setLevel(level)
    logger.removeHandler(caplog.handler)


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Encode a clip whose frame ``i`` is grey of about ``10 * i``."""

    def make(name: str = 'clip.mp4', num_frames: int = 20) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter_fourcc(*'mp4v'), 25, (64, 48)
        )
        for i in range(num_frames):
            writer.write(np.full((48, 64, 3), 10 * i, np.uint8))
        writer.release()
        return path

    return make


@pytest.fixture
def bad_videos(tmp_path: Path, shared: Path) -> dict[str, Path]:
    """Files that no decoder can show: one that cannot be opened, one cut short."""
    data = bytearray((shared / 'videos/single/tai_chi.mp4').read_bytes())
    start = data.find(b'mdat') + 4
    end = data.find(b'moov', start)
    middle = (start + end) // 2
    # The index stays whole, half of the frames are gone: opens, does not decode.
    data[middle:end] = bytes(end - middle)
    content = dict(cut=data, noise=np.random.RandomState(0).bytes(20_000), empty=b'')
    paths = {name: tmp_path / f'{name}.mp4' for name in content}
    for name, path in paths.items():
        path.write_bytes(content[name])
    return paths


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A tar archive of three small files."""
    path = tmp_path / 'videos.tar'
    with tarfile.open(path, 'w') as tar:
        add(tar, 'a.txt', b'first')
        add(tar, './sub/b.txt', b'second')
        add(tar, 'a b/' + 'long' * 40 + '.txt', b'third')
    return path
