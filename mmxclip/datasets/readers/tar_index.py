"""Where the files of a tar archive lie, kept in a small database beside it."""

import os
import posixpath
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: workers may then index at the same time
    fcntl = None  # type: ignore[assignment]

_LAYOUT = 1


def clean_member(name: str) -> str:
    """Normalise the name of a member.

    Raises:
        ValueError: The name leads out of the archive.
    """
    clean = posixpath.normpath(name.replace(os.sep, '/'))
    if clean.startswith(('/', '../')) or clean in ('.', '..'):
        raise ValueError(f'{name!r} is not a path inside a tar archive')
    return clean


class TarIndex:
    """Offsets and sizes of the files in one uncompressed tar archive.

    The archive is read through once, and again when its size or time of change does;
    the result is an SQLite file, so an index of any length costs no memory and serves
    any number of processes. Nothing is kept open between calls: safe to fork and to
    pickle.

    Args:
        archive: The archive.
        index_dir: Folder that the index goes to. Default: the archive's.

    Raises:
        FileNotFoundError: The archive does not exist.
        PermissionError: The index cannot be written.
        ValueError: The archive is compressed, damaged or no tar archive.
    """

    def __init__(self, archive: Path, index_dir: Path | None = None) -> None:
        self.archive = archive
        name = archive.name
        if index_dir is not None:  # where indexes of several folders may meet
            name = str(archive.resolve()).replace(os.sep, '_')
        self.path = (index_dir or archive.parent) / f'{name}.index'
        if not self._is_current():
            with self._locked():
                if not self._is_current():  # another process may have been faster
                    self._build()

    def find(self, member: str) -> tuple[int, int] | None:
        """Offset and size of a member in bytes, or None."""
        with closing(self._open()) as database:
            query = 'SELECT offset, size FROM members WHERE name = ?'
            return database.execute(query, (clean_member(member),)).fetchone()

    def _open(self) -> sqlite3.Connection:
        # Nobody writes into a finished index, so no locks are needed, which some
        # network file systems lack.
        return sqlite3.connect(f'{self.path.resolve().as_uri()}?immutable=1', uri=True)

    def _fingerprint(self) -> tuple[int, int, int]:
        stat = self.archive.stat()
        return _LAYOUT, stat.st_size, stat.st_mtime_ns

    def _is_current(self) -> bool:
        expected = self._fingerprint()
        if not self.path.exists():
            return False
        try:
            with closing(self._open()) as database:
                query = 'SELECT layout, size, mtime FROM archive'
                return database.execute(query).fetchone() == expected
        except sqlite3.DatabaseError:
            return False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.archive.open('rb') as file:
            if fcntl is not None:
                with suppress(OSError):  # not every file system has locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self) -> None:
        temporary = self.path.with_name(f'{self.path.name}.{os.getpid()}')
        try:
            with closing(sqlite3.connect(temporary)) as database, database:
                database.execute('CREATE TABLE archive (layout, size, mtime)')
                database.execute(
                    'CREATE TABLE members (name TEXT PRIMARY KEY, offset, size)'
                    ' WITHOUT ROWID'
                )
                insert = 'INSERT OR REPLACE INTO members VALUES (?, ?, ?)'
                database.executemany(insert, self._scan())
                insert = 'INSERT INTO archive VALUES (?, ?, ?)'
                database.execute(insert, self._fingerprint())
            os.replace(temporary, self.path)
        except sqlite3.OperationalError as error:
            raise PermissionError(
                f'cannot write the index {self.path} of {self.archive}: {error}; '
                'give a folder that exists and can be written as index_dir'
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _scan(self) -> Iterator[tuple[str, int, int]]:
        places: dict[str, tuple[int, int]] = {}
        try:
            with tarfile.open(self.archive, 'r:') as tar:
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined]  # or it keeps all
                    if member.islnk():
                        place = places.get(member.linkname)
                    elif member.isreg() and not member.issparse():
                        place = (member.offset_data, member.size)
                        places[member.name] = place
                    else:
                        continue
                    name = posixpath.normpath(member.name.lstrip('/'))
                    if place and not name.startswith('../'):
                        yield name, *place
        except tarfile.TarError as error:
            raise ValueError(
                f'{self.archive} cannot be indexed: {error}; it must be a whole, '
                'uncompressed tar archive'
            ) from error
