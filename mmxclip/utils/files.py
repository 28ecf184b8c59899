"""Files that are read with a message and written whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_MOST_WRITERS = 100  # of one path at a time


def decode_text(data: bytes, where: str) -> str:
    """Return a file's text, without a byte order mark.

    Args:
        data: Content of the file.
        where: Its name, for the message.

    Raises:
        ValueError: It is not UTF-8, or holds a NUL byte, as no text does.
    """
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{where} is not UTF-8 text; save it as UTF-8') from error
    if '\0' in text:
        raise ValueError(
            f'{where} is no text: it holds a NUL byte; save it as UTF-8, not UTF-16'
        )
    return text


def sha256(*paths: str | os.PathLike) -> str:
    """Return the checksum of a file, or of several as if they were one."""
    total = hashlib.sha256()
    for path in paths:
        with open(path, 'rb') as file:
            while chunk := file.read(1 << 22):
                total.update(chunk)
    return total.hexdigest()


def write_text(path: str | os.PathLike, text: str, overwrite: bool = False) -> Path:
    """Write a text file as :func:`atomic` does.

    Args:
        path: The file; folders are made.
        text: Its content.
        overwrite: Replace a file of other content. The same content is no change
            and always allowed.

    Raises:
        FileExistsError: A file of other content is there and ``overwrite`` is off.
        ValueError: The text holds a file name that is not UTF-8.
    """
    path = Path(path)
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        line = text[: error.start].count('\n')
        raise ValueError(
            f'{path} cannot hold {text.splitlines()[line]!a}, which is not UTF-8; '
            'rename that file'
        ) from error
    if path.is_file() and not overwrite:
        if path.read_bytes() == data:
            sweep(path)
            return path
        raise FileExistsError(
            f'{path} exists with other content; pass --overwrite to replace it, or '
            'write somewhere else'
        )
    with atomic(path) as place:
        place.write_bytes(data)
    return path


def check_writable(path: str | os.PathLike) -> None:
    """Look before the work whether a file can be written; folders are made.

    Raises:
        OSError: It cannot.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f'{path} is a folder; give the name of a file')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(
            f'{path} cannot be written ({error.strerror}); choose another place'
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f'{path} cannot be written: no right to write into {path.parent}'
        )


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Give a name to write a file or folder under that becomes ``path`` when whole.

    Whoever looks at ``path`` sees what was there before or all of the new, also after
    a crash. An exception leaves nothing behind. A process that is killed leaves a
    hidden folder (``.NAME.0.part``), which the next writer of the same path removes.

    Args:
        path: The file or folder. Folders above it are made; a device or pipe is
            written directly.

    Yields:
        A path of the same name in a folder beside ``path``, for this writer alone.

    Raises:
        OSError: It cannot be written. A full disk is named as such, also where the
            writer only said that it failed.

    Examples:
        >>> with atomic('work_dirs/table.csv') as new:  # doctest: +SKIP
        ...     table.to_csv(new)
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _folder_beside(path) as folder:
        new = folder / path.name
        try:
            yield new
            _put(new, path)
        except Exception as error:
            reason = error if isinstance(error, OSError) else full_disk(folder)
            if reason is None or reason.errno is None:
                raise
            if not str(reason.filename or folder).startswith(str(folder)):
                raise
            raise OSError(reason.errno, reason.strerror, str(path)) from error


def _put(new: Path, path: Path) -> None:
    if new.is_file():
        with new.open('rb+') as file:
            os.fsync(file)  # or a crash of the machine could leave it empty
    elif path.is_dir():  # which cannot be replaced in one step
        path.rename(_old(new))
    new.replace(path)


def _old(new: Path) -> Path:
    return new.with_name(f'{new.name}.old')


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """Make an empty folder for one writer."""
    folder, lock = _claim(path)
    try:
        _clear(folder, path)
        yield folder
    finally:
        _remove(folder, path, lock)
        if lock is not None:
            sweep(path)


def _claim(path: Path) -> tuple[Path, int | None]:
    # Numbers, so that the next writer finds what a killed one left; a name of its own
    # where the file system has no locks.
    for number in range(_MOST_WRITERS):
        folder = path.with_name(f'.{path.name}.{number}.part')
        try:
            lock = _lock(folder)
        except OSError:
            break
        if lock is not None:
            return folder, lock
    folder = path.with_name(f'.{path.name}.{uuid4().hex[:8]}.part')
    folder.mkdir()
    return folder, None


def sweep(path: Path) -> None:
    """Remove what writers of a path left that were killed.

    Writing the path again does so, too: this is for those that find it done.
    """
    for number in range(_MOST_WRITERS):
        folder = path.with_name(f'.{path.name}.{number}.part')
        if folder.exists():
            lock = _lock(folder)
            if lock is not None:
                _remove(folder, path, lock)
        elif number:
            return


def _remove(folder: Path, path: Path, lock: int | None) -> None:
    _clear(folder, path)
    folder.rmdir()
    if lock is not None:
        os.close(lock)


def _lock(folder: Path) -> int | None:
    """Make and lock a folder; None where it is another writer's.

    Raises:
        OSError: There are no locks.
    """
    if fcntl is None:
        raise OSError
    folder.mkdir(exist_ok=True)
    try:
        lock = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # another writer has just finished
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), folder.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(lock)
        folder.rmdir()
        raise
    os.close(lock)
    return None


def _clear(folder: Path, path: Path) -> None:
    old = _old(folder / path.name)
    if old.exists() and not path.exists():  # killed before the new one came
        old.rename(path)
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


def full_disk(folder: Path) -> OSError | None:
    """Ask the disk why it takes nothing more, for writers that do not tell."""
    try:
        (folder / 'probe').write_bytes(bytes(1 << 20))
    except OSError as error:
        return error
    return None
