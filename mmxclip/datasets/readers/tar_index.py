"""Where the files of a tar archive lie, kept in a small database beside it."""

import io
import os
import posixpath
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from zlib import crc32

from mmxclip.utils.files import atomic, sweep

try:
    import fcntl
except ImportError:  # not on Windows: workers may then index at the same time
    fcntl = None  # type: ignore[assignment]

_T = TypeVar('_T')
_LAYOUT = 3  # of the index; another is made anew
_LONGEST_HEADER = 1 << 20  # bytes; longer ones are damage
_MOST_LINKS = 40  # that are followed from one name


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
    """Places of the files in one uncompressed tar archive.

    The archive is read through once, and again when its size or time of change does.
    The result is an SQLite file, so an index of any length costs no memory and serves
    any number of processes. It is only a hint: what a member is called and how long it
    is says its header in the archive, and an index that leads to no such header is
    made anew. Nothing is kept open between calls: safe to fork and to pickle.

    Args:
        archive: The archive.
        index_dir: Folder that the index goes to. Default: the archive's.
    """

    def __init__(self, archive: Path, index_dir: Path | None = None) -> None:
        self.archive = archive
        name = archive.name
        if index_dir is not None:  # where indexes of several folders may meet
            name = str(archive.resolve()).replace(os.sep, '_')
        self.path = (index_dir or archive.parent) / f'{name}.index'
        self._checked: tuple[int, ...] | None = None  # state of archive and index

    def find(self, member: str) -> tuple[int, int] | None:
        """Offset and size of a member in bytes, or None.

        Raises:
            FileNotFoundError: The archive does not exist.
            OSError: The archive cannot be read, or the index not be written.
            ValueError: The archive is compressed, damaged or no tar archive, or the
                name leads out of it.
        """
        key = _key(clean_member(member))
        return self._ask(lambda: self._look_up(key), member)

    def names(self) -> list[str]:
        """Names of all files, sorted; errors are those of :meth:`find`."""
        return self._ask(self._list, 'its list of files')

    def _ask(self, look: Callable[[], _T], what: str) -> _T:
        """Look into the index, and once more into a new one if it is a bad one."""
        self._make_current()
        used = self._state()
        try:
            return look()
        except (sqlite3.Error, tarfile.TarError, ArithmeticError, TypeError):
            self._make_current(unlike=used)
        try:
            return look()
        except (sqlite3.Error, tarfile.TarError) as error:
            raise ValueError(
                f'{self.archive} has changed while {what} was looked up: {error}'
            ) from error

    def _list(self) -> list[str]:
        with closing(self._open()) as database:
            _check_digest(database)
            rows = database.execute('SELECT name FROM members ORDER BY name')
            return [name.decode('utf-8', 'surrogateescape') for (name,) in rows]

    def _look_up(self, key: bytes) -> tuple[int, int] | None:
        with closing(self._open()) as database:
            for _ in range(_MOST_LINKS):
                query = 'SELECT header FROM members WHERE name = ?'
                found = database.execute(query, (key,)).fetchone()
                if found is None:
                    _check_digest(database)
                    return None
                member = self._read_header(*found)
                if _clean_key(member.name) != key:
                    raise tarfile.ReadError(f'{member.name} is in its place')
                if member.isreg():
                    return member.offset_data, member.size
                key = _clean_key(member.linkname)
        raise tarfile.ReadError('links lead nowhere')

    def _read_header(self, offset: int) -> tarfile.TarInfo:
        if not 0 <= offset < self.archive.stat().st_size:
            raise tarfile.ReadError(f'there is no byte {offset}')
        with _Headers(self.archive) as file:
            file.seek(offset)
            with tarfile.open(fileobj=file, mode='r:', encoding='utf-8') as tar:
                member = tar.firstmember  # type: ignore[attr-defined]
        if member is None or not (member.isreg() or member.islnk()):
            raise tarfile.ReadError(f'there is no file at byte {offset}')
        return member

    def _open(self) -> sqlite3.Connection:
        # Nobody writes into a finished index, so no locks are needed, which some
        # network file systems lack.
        uri = f'{self.path.resolve().as_uri()}?mode=ro&immutable=1'
        return sqlite3.connect(uri, uri=True)

    def _fingerprint(self) -> tuple[int, int, int]:
        stat = self.archive.stat()
        return _LAYOUT, stat.st_size, stat.st_mtime_ns

    def _state(self) -> tuple[int, ...]:
        """Tell this archive and this index from later ones."""
        index = (0, 0)
        with suppress(OSError):
            stat = self.path.stat()
            index = stat.st_ino, stat.st_mtime_ns
        return (*self._fingerprint(), *index)

    def _make_current(self, unlike: tuple[int, ...] | None = None) -> None:
        """Make the index where there is none of this archive, or only a bad one."""
        if unlike is None and self._is_current():
            return
        with self._locked():
            # Another process may have been faster.
            if self._state() == unlike or not self._is_current():
                self._build()

    def _is_current(self) -> bool:
        state = self._state()
        if state == self._checked:
            return True
        try:
            with closing(self._open()) as database:
                query = 'SELECT layout, size, mtime FROM archive'
                current = database.execute(query).fetchone() == state[:3]
        except sqlite3.Error:
            return False
        if current:
            with suppress(OSError):  # where nothing may be written, nothing was
                sweep(self.path)
        self._checked = state if current else None
        return current

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
        try:
            with (
                atomic(self.path) as new,
                closing(sqlite3.connect(new)) as database,
                database,
            ):
                database.execute('PRAGMA journal_mode = OFF')
                database.execute('CREATE TABLE archive (layout, size, mtime, digest)')
                database.execute(
                    'CREATE TABLE members (name BLOB PRIMARY KEY, header) WITHOUT ROWID'
                )
                for member in self._scan():
                    _insert(database, member)
                insert = 'INSERT INTO archive VALUES (?, ?, ?, ?)'
                database.execute(insert, (*fingerprint, _digest(database)))
        except OSError as error:
            if error.filename == str(self.archive):
                raise
            raise OSError(
                error.errno,
                f'cannot write the index of {self.archive}: {error.strerror}; give a '
                'folder that can be written, and has room, as index_dir',
                str(self.path),
            ) from error

    def _scan(self) -> Iterator[tarfile.TarInfo]:
        offset = -1
        try:
            with (
                _Headers(self.archive) as file,
                tarfile.open(fileobj=file, mode='r:', encoding='utf-8') as tar,
            ):
                for member in tar:
                    tar.members = []  # type: ignore[attr-defined]  # or it keeps all
                    if member.size < 0 or tar.offset <= offset:
                        raise tarfile.ReadError('a header leads back')
                    offset = tar.offset
                    yield member
                _check_end(tar.offset, file)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.archive)) from error
        except sqlite3.Error:
            raise
        except Exception as error:  # tarfile trusts what headers say
            reason = str(error) or type(error).__name__
            raise ValueError(
                f'{self.archive} cannot be indexed: {reason}; it must be a whole, '
                'uncompressed tar archive'
            ) from error


class _Headers(io.FileIO):
    """An archive of which only headers are read, however long they say they are."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f'a header says that it has {size} bytes')
        return super().read(size)


def _check_end(offset: int, file: _Headers) -> None:
    """Raise a ReadError if an archive goes on where tarfile has stopped.

    At a damaged header it stops as it does at the zeros behind the last member.
    """
    file.seek(offset)
    if any(file.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError(f'damaged at byte {offset}')


def _insert(database: sqlite3.Connection, member: tarfile.TarInfo) -> None:
    """Note where a file lies; other members, and links that lead out, are passed by."""
    name = _clean_key(member.name)
    if name.startswith(b'../'):
        return
    if member.islnk():
        target = _clean_key(member.linkname)
        database.execute(
            'INSERT OR REPLACE INTO members SELECT ?, ? FROM members WHERE name = ?',
            (name, member.offset, target),
        )
    elif member.isreg() and not member.issparse():
        insert = 'INSERT OR REPLACE INTO members VALUES (?, ?)'
        database.execute(insert, (name, member.offset))


def _digest(database: sqlite3.Connection) -> int:
    """Check sum of all names and places."""
    rows = database.execute('SELECT name, header FROM members')
    return sum(crc32(b'%b %d' % row) for row in rows) % (1 << 62)


def _check_digest(database: sqlite3.Connection) -> None:
    """Raise a ReadError if a name may be missing because the index is damaged."""
    (digest,) = database.execute('SELECT digest FROM archive').fetchone()
    if digest != _digest(database):
        raise tarfile.ReadError('names are damaged')
