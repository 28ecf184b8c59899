"""The films below a folder, and what tells whether one has changed."""

import os
from pathlib import Path

from mmxclip.datasets.lists.video_files import find_videos, is_video_name
from mmxclip.inference.index_store import FilmFile
from mmxclip.inference.storage import Storage


def find_films(folder: str) -> list[FilmFile]:
    """Find all films below a folder, in the order of their paths.

    A film on a file system is the same as long as its size and the time of its last
    change are; to compare the contents would take as long as to read all films.
    MMEngine tells neither of objects in a store: these are known by their names alone,
    as what is stored under a name should not change.

    Args:
        folder: A path, or an address such as ``s3://bucket/films``.

    Raises:
        OSError: There is no such folder, or it cannot be read.
        ValueError: It holds no films.
    """
    storage = Storage(folder)
    if storage.is_local:
        found = find_videos(Path(folder))
        films = [_on_disk(Path(folder), path) for path in found.paths]
        kinds = str(found)
    else:
        names = storage.names(recursive=True)
        films = [FilmFile(name) for name in names if is_video_name(name)]
        kinds = f'no videos among {len(names)} objects'
    if not films:
        raise ValueError(f'{folder} holds {kinds}; give the folder of the films')
    return sorted(films)


def path_of(folder: str, film: str) -> str:
    """Return the path or address of a film of an index."""
    return Storage(folder).path(film)


def _on_disk(folder: Path, path: Path) -> FilmFile:
    name = path.relative_to(folder).as_posix()
    try:
        about = os.stat(path)
    except OSError:  # a link that leads nowhere: opening it tells
        return FilmFile(name)
    return FilmFile(name, about.st_size, about.st_mtime_ns)
