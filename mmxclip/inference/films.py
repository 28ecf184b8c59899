"""The films below a folder, and what tells whether one has changed."""

import os
from collections import deque
from pathlib import Path

import numpy as np

from mmxclip.datasets import upright
from mmxclip.datasets.lists.video_files import is_video_name
from mmxclip.datasets.readers import split_tar_path
from mmxclip.inference.index_store import FilmFile
from mmxclip.inference.sources import find_sources
from mmxclip.inference.storage import Storage
from mmxclip.inference.windows import open_film


def find_films(folder: str) -> list[FilmFile]:
    """Find all films below a folder, in the order of their paths.

    Videos in folders and in archives count; folders of images, which have no times, do
    not. A film on a file system is the same as long as its size and the time of its
    last change are: to compare the contents would take as long as to read all films.
    MMEngine tells neither of objects in a store: these are known by their names alone,
    as what is stored under a name should not change.

    Args:
        folder: A folder or a .tar archive, or an address such as ``s3://bucket/films``.

    Raises:
        OSError: There is no such folder, or it cannot be read.
        ValueError: It holds no films, or is one.
    """
    storage = Storage(folder)
    if storage.is_local:
        films = _on_disk(folder)
    else:
        names = storage.names(recursive=True)
        films = [FilmFile(name) for name in names if is_video_name(name)]
    if not films:
        raise ValueError(f'{folder} holds no videos; give the folder of the films')
    return sorted(films)


def path_of(folder: str, film: str) -> str:
    """Return the path or address of a film of an index."""
    return Storage(folder).path(film)


def middle_frame(path: str, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """Return the frame in the middle of a part of a film, or the last one before.

    Args:
        path: The film.
        start: Seconds.
        end: Seconds. Default: the duration, which broken files overstate.

    Raises:
        OSError: The film cannot be read, or has no frames there.
    """
    with open_film(path) as film:
        end = film.duration if end is None else end
        for frame in film.frames((start + end) / 2):
            return upright(frame.picture)
        last = deque(film.frames(start), maxlen=1)
        if not last:
            raise OSError(f'{path} has no frames from {start:.1f} s on')
        return upright(last[0].picture)


def _on_disk(folder: str) -> list[FilmFile]:
    if not os.path.exists(folder):
        raise FileNotFoundError(f'there is no folder of films at {folder}')
    sources = list(find_sources(folder))
    if [source.name for source in sources] == [folder]:
        raise ValueError(
            sources[0].problem or f'{folder} is one film; give the folder it lies in'
        )
    return [
        _state(folder, source.name)
        for source in sources
        if source.input_format == 'video' and not source.problem
    ]


def _state(folder: str, path: str) -> FilmFile:
    """Return a film with what its file says, or the archive that it is in."""
    name = Path(os.path.relpath(path, folder)).as_posix()
    member = split_tar_path(path)
    try:
        about = os.stat(path if member is None else member[0])
    except OSError:  # a link that leads nowhere: opening it tells
        return FilmFile(name)
    return FilmFile(name, about.st_size, about.st_mtime_ns)
