"""Unpack the archives in which benchmarks are published."""

import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmxclip.utils.files import full_disk

# Programs that read .rar, which Python does not: name and arguments. They refuse
# to ask questions.
_RAR_PROGRAMS: dict[str, Callable[[Path, Path], list[str]]] = {
    'unrar': lambda rar, out: ['x', '-o-', '-idq', str(rar), f'{out}/'],
    '7z': lambda rar, out: ['x', '-aos', '-bd', f'-o{out}', str(rar)],
    'bsdtar': lambda rar, out: ['-xkf', str(rar), '-C', str(out)],
}
# What comes of damaged archives.
_UNREADABLE = (
    subprocess.CalledProcessError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # of bzip2 and gzip; the system's own have a number
    RuntimeError,  # encrypted
)


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive into a folder; members never leave that folder.

    They appear there when all are unpacked, so an interruption leaves no half files.
    Files that are there already stay. ``.rar`` archives in an archive are unpacked
    too, each into a folder of its name (HMDB-51 has one per class).

    Args:
        archive: ``.zip``, ``.tar`` (also ``.gz``, ``.bz2``, ``.xz``) or ``.rar``,
            for which unrar, 7z or bsdtar must be installed.
        target: Folder, made when absent.

    Raises:
        FileNotFoundError: No such archive, or no program for ``.rar``.
        ValueError: Not an archive of these kinds, or a damaged or encrypted one.
    """
    if not archive.is_file():
        raise FileNotFoundError(f'no archive at {str(archive)!r}')
    # In the target, which may be another disk than its parent, and a folder of its
    # own: what is beside it is not ours to delete.
    scratch = target / '.unpacking'
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
    scratch.mkdir(parents=True)
    try:
        _unpack(archive, scratch)
        for inner in sorted(scratch.glob('*.rar')):
            unpack(inner, scratch / inner.stem)
            inner.unlink()
        _move_content(scratch, target)
    except _UNREADABLE as error:
        if isinstance(error, FileNotFoundError):
            raise
        full = error if isinstance(error, OSError) else full_disk(scratch)
        if full is not None and full.errno:
            raise OSError(full.errno, full.strerror, str(target)) from error
        told = (getattr(error, 'stderr', None) or b'').decode(errors='replace').split()
        reason = ' '.join(told)[-200:] or error  # what an unpacking program says
        raise ValueError(f'{archive} cannot be unpacked: {reason}') from error
    finally:  # what stayed would be found as videos
        shutil.rmtree(scratch, ignore_errors=True)


def _move_content(source: Path, target: Path) -> None:
    """Move what is in a folder into another; files that are there already stay."""
    for child in source.iterdir():
        place = target / child.name
        if child.is_dir() and not child.is_symlink() and place.is_dir():
            _move_content(child, place)
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
            rest: Any = file.fileobj
            while rest.read(2**20):  # gzip's checksum is at the end
                pass
    else:
        raise ValueError(f'{archive} is not a .zip, .tar or .rar archive')


def _unpack_rar(archive: Path, target: Path) -> None:
    for program, arguments in _RAR_PROGRAMS.items():
        if shutil.which(program):
            command = [program, *arguments(archive, target)]
            subprocess.run(command, check=True, stderr=subprocess.PIPE)
            return
    raise FileNotFoundError(
        f'{archive}: none of {", ".join(_RAR_PROGRAMS)} is installed, one of which '
        'is needed for .rar (Debian: apt install libarchive-tools); or unpack it '
        'yourself and give the folder'
    )
