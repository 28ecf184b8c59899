"""Videos inside tar archives, as a storage backend of MMEngine."""

import errno
import io
import os
from pathlib import Path
from typing import Any, BinaryIO

from mmengine.fileio import BaseStorageBackend, FileClient, register_backend

from mmxclip.datasets.readers.tar_index import TarIndex


def split_tar_path(path: str | Path) -> tuple[Path, str] | None:
    """Split ``folder/a.tar/b/c.mp4`` into the archive and the member.

    Returns:
        The first part of the path that ends in '.tar' and is a file, and what
        follows; None when there is no such part.
    """
    path = Path(path)
    for archive in reversed(path.parents):
        if archive.suffix == '.tar' and archive.is_file():
            return archive, path.relative_to(archive).as_posix()
    return None


def is_compressed_archive(path: str | Path) -> bool:
    """Whether a path is a file that :class:`TarBackend` would read but for its kind."""
    endings = ('.tgz', '.tar.gz', '.tar.bz2', '.tar.xz', '.zip', '.rar')
    return str(path).lower().endswith(endings) and Path(path).is_file()


class _Window(io.FileIO):
    """A part of a file, as if it were the whole."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        super().__init__(path)
        self._start, self._size = start, size
        self.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self.tell(), self._size)[whence] if whence else 0
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super().seek(self._start + base + offset) - self._start

    def tell(self) -> int:
        return super().tell() - self._start

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast('B')
        return super().readinto(view[: max(self._size - self.tell(), 0)]) or 0

    def read(self, size: int | None = -1) -> bytes:
        rest = max(self._size - self.tell(), 0)
        return super().read(rest if size is None or size < 0 else min(size, rest))

    readall = read


class TarBackend(BaseStorageBackend):
    """Read members of tar archives in any order, without unpacking.

    A path leads through the archive as if it were a folder:
    ``videos.tar/archery/1.mp4``; there may be any number of archives. Each is indexed
    once, see :class:`TarIndex`. Members are addressed by their names in the index
    only, and links to files outside are not followed: no path escapes the archive.

    Args:
        index_dir: Folder for the indexes. Default: beside each archive.

    Examples:
        >>> dict(type='VideoInit')  # reads 'videos.tar/...' of itself
        >>> dict(type='DecordInit', io_backend='tar', index_dir='indexes')
    """

    def __init__(self, index_dir: str | Path | None = None) -> None:
        self.index_dir = None if index_dir is None else Path(index_dir)
        self._indexes: dict[Path, TarIndex] = {}

    def _locate(self, filepath: str | Path) -> tuple[Path, tuple[int, int] | None]:
        parts = split_tar_path(filepath)
        if parts is None:
            raise FileNotFoundError(
                f'no part of {str(filepath)!r} is a tar archive that exists'
            )
        archive, member = parts
        if archive not in self._indexes:
            self._indexes[archive] = TarIndex(archive, self.index_dir)
        return archive, self._indexes[archive].find(member)

    def open(self, filepath: str | Path) -> BinaryIO:
        """Open a member, of which nothing is read yet.

        Returns:
            A seekable file that begins and ends with the member.

        Raises:
            FileNotFoundError: There is no such archive or member.
            ValueError: The path leads out of the archive.
            OSError: The archive ends before the member does.
        """
        archive, place = self._locate(filepath)
        if place is None:
            raise FileNotFoundError(f'{filepath}: no such file in {archive}')
        # Opened for each file: workers that were forked would share a position.
        file = _Window(archive, *place)
        if sum(place) > os.fstat(file.fileno()).st_size:
            file.close()
            raise OSError(f'{archive} is cut off within {filepath}')
        return file

    def get(self, filepath: str | Path) -> bytes:
        """Read a member; errors are those of :meth:`open`."""
        with self.open(filepath) as file:
            return file.read()

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Read a member as text."""
        return self.get(filepath).decode(encoding)

    def exists(self, filepath: str | Path) -> bool:
        """Whether there is such a member in such an archive."""
        try:
            return self._locate(filepath)[1] is not None
        except FileNotFoundError:
            return False


# MMEngine keeps two tables, one for its file functions, one for what the host uses.
register_backend('tar', TarBackend, force=True)
FileClient.register_backend('tar', TarBackend, force=True)
