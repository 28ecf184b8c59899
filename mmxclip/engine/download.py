"""Fetch weight files once, into the usual cache, whoever else is fetching them."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlparse

import torch
from filelock import FileLock
from mmengine.logging import print_log

from mmxclip.convert import ConversionError, identify_form

OFFLINE_SWITCH = 'MMXCLIP_OFFLINE'


class DownloadError(OSError):
    """A file could not be fetched; the message says how to do it by hand."""


def download(url: str, sha256: str | None = None) -> Path:
    """Return the local copy of a file, downloading it if there is none.

    The file goes to ``checkpoints/`` of torch's hub directory (``$TORCH_HOME/hub`` or
    ``~/.cache/torch/hub``). Processes that start together wait for the first one; a
    copy appears under its name only when it is complete and has the right checksum.
    With ``MMXCLIP_OFFLINE=1`` nothing is downloaded.

    Args:
        url: Where the file is.
        sha256: Its checksum in hexadecimal, None where it is not known.

    Raises:
        DownloadError: There is no network, no room, or the file is not the right one.
    """
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    path = folder / _name_of(url, sha256)
    try:
        if _is_right(path, sha256):  # also in a cache that may only be read
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f'{path}.lock'):
            if not _is_right(path, sha256):
                _fetch(url, path, sha256)
    except DownloadError:
        raise
    except (OSError, RuntimeError, ConversionError) as error:
        raise _explain(error, url, path, sha256) from error
    return path


def _name_of(url: str, sha256: str | None) -> str:
    name = Path(urlparse(url).path)
    if sha256 and sha256 in url:
        return name.name  # as CLIP's authors name it
    # Nothing else would tell one model.safetensors from another.
    mark = sha256 or hashlib.sha256(url.encode()).hexdigest()
    return f'{name.stem or "checkpoint"}-{mark[:8]}{name.suffix}'


def _is_right(path: Path, sha256: str | None) -> bool:
    if not path.is_file():
        return False
    return sha256 is None or _checksum(path, path.stat().st_mtime_ns) == sha256


def _fetch(url: str, path: Path, sha256: str | None) -> None:
    if os.environ.get(OFFLINE_SWITCH, '0') not in ('', '0'):
        raise OSError(f'{OFFLINE_SWITCH} is set')
    if path.is_file():
        print_log(
            f'{path} has another checksum than the original and is downloaded again',
            logger='current',
        )
    print_log(f'Downloading {url} to {path}', logger='current')
    partial = path.with_name(f'{path.name}.part')
    try:
        torch.hub.download_url_to_file(url, str(partial), hash_prefix=sha256)
        identify_form(partial)  # without a checksum, at least: is it a checkpoint?
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@lru_cache(maxsize=4)
def _checksum(path: Path, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _explain(
    error: Exception, url: str, path: Path, sha256: str | None
) -> DownloadError:
    known = f'\n  sha256sum {path}   # {sha256}' if sha256 else ''
    return DownloadError(
        f'could not get {url}: {error}.\n'
        'To fetch it by hand, run on a machine with a network\n'
        f'  curl -L -o {path.name} {url}\n'
        'and, on this one,\n'
        f'  mkdir -p {path.parent} && mv {path.name} {path.parent}/{known}\n'
        f'(or set TORCH_HOME to move the cache from {path.parent} to another disk),\n'
        'or give the path of the file instead of its address or name (load_from, or '
        "checkpoint in init_cfg=dict(type='CLIPPretrained', ...))."
    )
