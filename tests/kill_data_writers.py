"""Kill what writes data at random moments, go on, and look what is there.

    python tests/kill_data_writers.py --times 20

Making a data set, re-encoding a folder, unpacking an archive with its lists, and
indexing a tar archive are killed as often, with all processes that they started.
Nothing under its own name may ever be wrong, and nothing be left behind once one of
them is done. datasets/test_killed.py does so a few times.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np

from mmxclip.datasets import TarBackend
from mmxclip.datasets.lists import (
    VideoFolder,
    published_lists,
    read_list,
    unpack,
)
from mmxclip.datasets.lists.folder import write_found
from mmxclip.datasets.shape_actions import Plan, ShapeAction, draw_clip, make_data_set
from mmxclip.datasets.writers.prepared_folder import PreparedFolder
from mmxclip.datasets.writers.reencoding import Settings
from mmxclip.datasets.writers.video_writer import VideoWriter


def frames(path: Path) -> int:
    """Number of frames of a video."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


class ShapeActions:
    """A small data set of drawn clips."""

    def prepare(self, folder: Path) -> None:
        """Nothing is read."""

    def run(self, folder: Path) -> None:
        """Draw 150 clips."""
        plan = Plan(train=150, val=8)
        make_data_set(folder / 'out', plan, workers=2, force=True)

    def check(self, folder: Path) -> None:
        """All is there, or nothing."""
        if (folder / 'out').exists():
            for entry in read_list(folder / 'out/train.txt'):
                assert frames(folder / 'out' / entry.path) == 16
            assert len(read_list(folder / 'out/val.txt')) == 8


class PreparedVideos:
    """Four videos, encoded anew."""

    def prepare(self, folder: Path) -> None:
        """Draw them."""
        (folder / 'in').mkdir()
        for i in range(4):
            rng = np.random.default_rng(i)
            action = ShapeAction('circle', 'red', 'growing')
            path = folder / f'in/{i}.mp4'
            with VideoWriter(path, fps=25, gop=30, options={}) as video:
                for picture in draw_clip(action, rng, num_frames=30, size=192):
                    video.write_image(picture)

    def run(self, folder: Path) -> None:
        """Encode those that are not done."""
        prepared = PreparedFolder(folder / 'in', folder / 'out', Settings())
        list(prepared.encode(prepared.missing(), workers=2))

    def check(self, folder: Path) -> None:
        """Each new video is whole."""
        for path in (folder / 'out').glob('*.mp4'):
            assert frames(path) == 30, path


class UnpackedBenchmark:
    """An archive of videos, all empty, and the lists of them."""

    lists = MappingProxyType(
        {f'{n}.txt': published_lists('hmdb51')[f'val{n}.txt'][:300] for n in (1, 2, 3)}
    )

    def prepare(self, folder: Path) -> None:
        """Pack the archive."""
        paths = {entry.path for entries in self.lists.values() for entry in entries}
        with tarfile.open(folder / 'hmdb.tar', 'w') as tar:
            for path in sorted(paths):
                tar.addfile(tarfile.TarInfo(path))

    def run(self, folder: Path) -> None:
        """Unpack and write the lists, as prepare.py does."""
        unpack(folder / 'hmdb.tar', folder / 'videos')
        videos = VideoFolder(folder / 'videos')
        list(write_found(self.lists, videos, folder / 'lists', counts={}))

    def check(self, folder: Path) -> None:
        """Each list is whole."""
        for name, entries in self.lists.items():
            if (folder / 'lists' / name).exists():
                assert read_list(folder / 'lists' / name) == entries, name


class IndexedArchive:
    """The index of a tar archive of many files."""

    def prepare(self, folder: Path) -> None:
        """Pack it."""
        with tarfile.open(folder / 'videos.tar', 'w') as tar:
            for i in range(10_000):
                tar.addfile(tarfile.TarInfo(str(i)))

    def run(self, folder: Path) -> None:
        """Read the last file, for which all must be indexed."""
        assert TarBackend().get(folder / 'videos.tar/9999') == b''

    def check(self, folder: Path) -> None:
        """Whatever index there is tells what is in the archive."""
        if (folder / 'videos.tar.index').exists():
            self.run(folder)


WRITERS = (ShapeActions, PreparedVideos, UnpackedBenchmark, IndexedArchive)


def kill(writer: type, folder: Path, times: int) -> int:
    """Kill a writer at random moments, and let it end whenever it does.

    Returns:
        How often it had not ended before.

    Raises:
        AssertionError: Something is wrong, or left behind.
    """
    case = writer()
    for name in ('whole', 'killed'):
        (folder / name).mkdir()
        case.prepare(folder / name)
    given = names(folder / 'killed')
    duration = run(case.run, folder / 'whole')[0]
    whole = names(folder / 'whole')
    killed = 0
    for _ in range(times):
        _, ended = run(case.run, folder / 'killed', random.uniform(0, duration))
        case.check(folder / 'killed')
        killed += not ended
        if ended:  # from the start again
            assert names(folder / 'killed') == whole, names(folder / 'killed') ^ whole
            clear(folder / 'killed', given)
    run(case.run, folder / 'killed')
    case.check(folder / 'killed')
    assert names(folder / 'killed') == whole, names(folder / 'killed') ^ whole
    return killed


def run(
    function: Callable[[Path], None], folder: Path, limit: float | None = None
) -> tuple[float, bool]:
    """Call a function in a process; kill it, and all that it started, after a while."""
    process = multiprocessing.get_context('fork').Process(
        target=_call, args=(function, folder)
    )
    start = time.monotonic()
    process.start()
    process.join(limit)
    ended = process.exitcode is not None
    if not ended:
        with contextlib.suppress(ProcessLookupError):  # it has only just begun
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.kill()
        process.join()
    else:
        assert process.exitcode == 0
    return time.monotonic() - start, ended


def _call(function: Callable[[Path], None], folder: Path) -> None:
    os.setsid()
    with contextlib.redirect_stdout(io.StringIO()):
        function(folder)


def names(folder: Path) -> set[str]:
    """All files and folders below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob('*')}


def clear(folder: Path, given: set[str]) -> None:
    """Remove what is new in a folder."""
    for path in folder.iterdir():
        if path.name not in given:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Kill all writers."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--times', type=int, default=20)
    args = parser.parse_args()
    for writer in WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            killed = kill(writer, Path(folder), args.times)
        sys.stdout.write(f'{writer.__name__}: killed {killed} of {args.times} times\n')


if __name__ == '__main__':
    main()
