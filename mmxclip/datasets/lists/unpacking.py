"""Unpack the archives in which benchmarks are published."""

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

# Programs that read .rar, which Python does not: name and arguments. They refuse
# to ask questions.
_RAR_PROGRAMS: dict[str, Callable[[Path, Path], list[str]]] = {
    'unrar': lambda rar, out: ['x', '-o-', '-inul', str(rar), f'{out}/'],
    '7z': lambda rar, out: ['x', '-aos', '-bd', f'-o{out}', str(rar)],
    'bsdtar': lambda rar, out: ['-xkf', str(rar), '-C', str(out)],
}


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive into a folder; members never leave that folder.

    They appear there when all are unpacked, so an interruption leaves no half files.
    Files that are there already stay.

    Args:
        archive: ``.zip``, ``.tar`` (also ``.gz``, ``.bz2``, ``.xz``) or ``.rar``,
            for which unrar, 7z or bsdtar must be installed.
        target: Folder, made when absent.

    Raises:
        FileNotFoundError: No such archive, or no program for ``.rar``.
        ValueError: Not an archive of these kinds, or a damaged one.
    """
    if not archive.is_file():
        raise FileNotFoundError(f'no archive at {str(archive)!r}')
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix='.unpacking-', dir=target.parent) as fresh:
        try:
            _unpack(archive, Path(fresh))
        except (
            subprocess.CalledProcessError,
            tarfile.TarError,
            zipfile.BadZipFile,
            EOFError,
        ) as error:
            raise ValueError(f'{archive} cannot be unpacked: {error}') from error
        move_content(Path(fresh), target)


def move_content(source: Path, target: Path) -> None:
    """Move what is in a folder into another; files that are there already stay."""
    target.mkdir(exist_ok=True)
    for child in source.iterdir():
        place = target / child.name
        if child.is_dir() and not child.is_symlink() and place.is_dir():
            move_content(child, place)
        elif not os.path.lexists(place):
            child.rename(place)


def _unpack(archive: Path, target: Path) -> None:
    if archive.suffix.lower() == '.rar':
        _unpack_rar(archive, target)
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            file.extractall(target)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as file:
            file.extractall(target, filter='data')
    else:
        raise ValueError(f'{archive} is not a .zip, .tar or .rar archive')


def _unpack_rar(archive: Path, target: Path) -> None:
    for program, arguments in _RAR_PROGRAMS.items():
        if shutil.which(program):
            subprocess.run([program, *arguments(archive, target)], check=True)
            return
    raise FileNotFoundError(
        f'{archive}: none of {", ".join(_RAR_PROGRAMS)} is installed, one of which '
        'is needed for .rar (Debian: apt install libarchive-tools); or unpack it '
        'yourself and give the folder'
    )
