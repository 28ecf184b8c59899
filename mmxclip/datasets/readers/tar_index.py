"""Where the files of a tar archive lie, kept in a small database beside it."""

import os
import posixpath
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

try:
    import fcntl
except ImportError:  # not on Windows: workers may then index at the same time
    fcntl = None  # type: ignore[assignment]

_LAYOUT = 2  # of the index; another is made anew


def clean_member(name: str) -> str:
    """Normalise the name of a member.

    Raises:
        ValueError: The name leads out of the archive.
    """
    clean = posixpath.normpath(name.replace(os.sep, '/'))
    if clean.startswith(('/', '../')) or clean in ('.', '..'):
        raise ValueError(f'{name!r} is not a path inside a tar archive')
    return clean


def _key(name: str) -> bytes:
    # Names are bytes: text could not hold those that are not UTF-8.
    return name.encode('utf-8', 'surrogateescape')


def _clean_key(name: str) -> bytes:
    """Key of a name that is written in an archive, absolute ones as if relative."""
    return _key(posixpath.normpath(name.lstrip('/')))


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
            return database.execute(query, (_key(clean_member(member)),)).fetchone()

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
        # Before reading: what is added meanwhile must make the index out of date.
        fingerprint = self._fingerprint()
        temporary = self.path.with_name(f'{self.path.name}.{uuid4().hex}')
        try:
            with closing(sqlite3.connect(temporary)) as database, database:
                database.execute('CREATE TABLE archive (layout, size, mtime)')
                database.execute(
                    'CREATE TABLE members (name BLOB PRIMARY KEY, offset, size)'
                    ' WITHOUT ROWID'
                )
                for member in self._scan():
                    _insert(database, member)
                insert = 'INSERT INTO archive VALUES (?, ?, ?)'
                database.execute(insert, fingerprint)
            os.replace(temporary, self.path)
        except sqlite3.OperationalError as error:
            raise PermissionError(
                f'cannot write the index {self.path} of {self.archive}: {error}; '
                'give a folder that exists and can be written as index_dir'
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _scan(self) -> Iterator[tarfile.TarInfo]:
        try:
            with tarfile.open(self.archive, 'r:', encoding='utf-8') as tar:
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined]  # or it keeps all
                    yield member
                _check_end(tar)
        except tarfile.TarError as error:
            raise ValueError(
                f'{self.archive} cannot be indexed: {error}; it must be a whole, '
                'uncompressed tar archive'
            ) from error


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise a ReadError if an archive goes on where tarfile has stopped.

    At a damaged header it stops as it does at the zeros behind the last member.
    """
    file: Any = tar.fileobj
    file.seek(tar.offset)
    if any(file.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError(f'damaged at byte {tar.offset}')


def _insert(database: sqlite3.Connection, member: tarfile.TarInfo) -> None:
    """Note where a file lies; other members, and links that lead out, are passed by."""
    name = _clean_key(member.name)
    if name.startswith(b'../'):
        return
    if member.islnk():
        database.execute(
            'INSERT OR REPLACE INTO members'
            ' SELECT ?, offset, size FROM members WHERE name = ?',
            (name, _clean_key(member.linkname)),
        )
    elif member.isreg() and not member.issparse():
        database.execute(
            'INSERT OR REPLACE INTO members VALUES (?, ?, ?)',
            (name, member.offset_data, member.size),
        )
