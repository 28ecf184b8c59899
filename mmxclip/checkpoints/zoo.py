"""Names and addresses of checkpoints, and the files behind them, fetched once."""

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.logging import print_log

from mmxclip.checkpoints.formats import (
    FOLDER_WEIGHTS,
    OPEN_CLIP_CONFIG,
    identify_form,
    parts_of,
)
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.utils import files

SCHEME = 'mmxclip://'  # by which MMEngine reads through us
HUB_NAME = 'hf-hub:'  # before a repository of the Hub, as in open_clip and timm
# Where the files of the Hub are, whichever mirror ($HF_ENDPOINT) they come from.
HUB = 'https://huggingface.co/'
_HUB_FILE = re.compile(rf'{HUB}([^/]+/[^/]+)/resolve/([^/]+)/([^?#]+)')
CLIP_SERVER = 'https://openaipublic.azureedge.net/clip/models'
# Name in OpenAI's code: SHA-256, which is part of the address, too.
CLIP_MODELS = {
    'ViT-B/32': '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
    'ViT-B/16': '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
    'ViT-L/14': 'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836',
    'ViT-L/14@336px': (
        '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02'
    ),
}


class DownloadError(OSError):
    """A file could not be fetched; the message says how to do it by hand."""


class MissingFileError(DownloadError):
    """The Hub has the repository, and no such file in it."""


class OfflineError(DownloadError):
    """The Hub cannot be reached, or is not to be."""


def find(checkpoint: str | os.PathLike, sha256: str | None = None) -> Path:
    """Return what is behind a name, a path or a URL, downloading it if need be.

    Args:
        checkpoint: Name of an OpenAI CLIP, 'hf-hub:OWNER/NAME', a path, or a URL.
        sha256: Checksum of a URL's file.

    Returns:
        A file; of a repository of the Hub, the folder.

    Raises:
        ValueError: It looks like a name and is none.
        FileNotFoundError: There is no file at this path.
        DownloadError: The download failed.
    """
    checkpoint = os.fspath(checkpoint).removeprefix(SCHEME)
    if checkpoint in CLIP_MODELS:
        digest = CLIP_MODELS[checkpoint]
        file = re.sub('[/@]', '-', checkpoint)
        return download(f'{CLIP_SERVER}/{digest}/{file}.pt', digest)
    if checkpoint.startswith(HUB_NAME):
        return clip_from_hub(checkpoint.removeprefix(HUB_NAME))
    if on_hub := _HUB_FILE.match(checkpoint):
        return from_hub(*on_hub.groups())
    if checkpoint.startswith(('http://', 'https://')):
        return download(checkpoint, sha256)
    path = Path(checkpoint).expanduser()
    if not (path.exists() or path.suffix or path.is_absolute()):
        raise ValueError(
            f'checkpoint={checkpoint!r} is neither a file nor one of '
            f'{list(CLIP_MODELS)}; models of the Hugging Face Hub are given as '
            f'{HUB_NAME}OWNER/NAME'
        )
    check_checkpoint(path)
    return path


def check_checkpoint(given: str | Path) -> None:
    """Raise a FileNotFoundError unless weights are there, or at an address."""
    known = given in CLIP_MODELS or str(given).startswith(HUB_NAME)
    if '://' in str(given) or known or Path(given).exists():
        return
    raise FileNotFoundError(
        f"there is no checkpoint '{given}'; give a file that a training wrote into its "
        'work folder, a published one, a Hugging Face folder or an address'
    )


def clip_from_hub(name: str) -> Path:
    """Return the folder of a CLIP of the Hub, with its weights and configs.

    open_clip's files are taken where there are any, else Hugging Face's.

    Args:
        name: Owner and name, and ``@`` with a revision behind them if it is not main.

    Raises:
        DownloadError: It has neither, or see `from_hub`.
    """
    import huggingface_hub as hub  # noqa: PLC0415 (slow to import)

    repo, _, revision = name.partition('@')
    revision = revision or 'main'

    def cached(file: str) -> Path | None:
        path = hub.try_to_load_from_cache(repo, file, revision=revision)
        if isinstance(path, str) and _is_as_named(Path(path)):
            return Path(path)
        return None

    def fetched(file: str) -> Path | None:
        with suppress(MissingFileError):
            return from_hub(repo, revision, file)
        return None

    try:
        folder = _clip_folder(cached) or _clip_folder(fetched)
    except OfflineError as error:
        raise OfflineError(
            f'could not get {repo} of the Hub. Cure: on a machine with a network, run '
            f'"hf download {repo} --local-dir FOLDER", and give the path of the folder'
        ) from error
    if folder is None:
        raise DownloadError(f'{HUB}{repo} is no CLIP of open_clip or of Hugging Face')
    return folder


def _clip_folder(get: Callable[[str], Path | None]) -> Path | None:
    """Get configs, then weights; return their folder, None if there is none of either.

    Args:
        get: Gives a file of a repository, None where that has no such file.
    """
    kinds = FOLDER_WEIGHTS[2:]
    if get(OPEN_CLIP_CONFIG):
        kinds = FOLDER_WEIGHTS[:2]
    elif get('config.json'):  # weights of ours hold their config
        get('preprocessor_config.json')  # some have none
    for weights in kinds:
        if file := get(weights):
            return file.parent
        index = get(f'{weights}.index.json')
        if index and all(get(part) for part in parts_of(index)):
            return index.parent
    return None


def from_hub(repo: str, revision: str, name: str) -> Path:
    """Return a file of the Hugging Face Hub in the Hub's own cache.

    A file that is there is never fetched again, nor asked for. Its checksum, by which
    the cache names it, is compared once. ``HF_HOME``, ``HF_ENDPOINT``,
    ``HF_HUB_OFFLINE`` and all else that the Hub's client knows hold.

    Args:
        repo: Owner and name.
        revision: Branch, tag or commit.
        name: Path of the file in it. Where the same weights are already there as
            safetensors, as other programs prefer them, these are taken.

    Raises:
        OfflineError: It is not there, and there is no network.
        DownloadError: There is no such file, no room, or it is not the right one.
    """
    import huggingface_hub as hub  # noqa: PLC0415 (slow to import)

    for known in {name, re.sub(r'^pytorch_model\.bin$', 'model.safetensors', name)}:
        cached = hub.try_to_load_from_cache(repo, known, revision=revision)
        if isinstance(cached, str) and _is_as_named(Path(cached)):
            return Path(cached)
    kind: type[DownloadError] = OfflineError
    try:
        about = hub.get_hf_file_metadata(hub.hf_hub_url(repo, name, revision=revision))
        kind = DownloadError
        size = f'{(about.size or 0) / 1e6:.1f} MB'
        print_log(f'Downloading {name} of {repo}, {size}')
        path = Path(hub.hf_hub_download(repo, name, revision=revision))
        if not _is_as_named(path):
            raise OSError('what came has another checksum than the Hub says.')
    except Exception as error:  # of the client, of what it is built on, of the disk
        if isinstance(error, hub.errors.HfHubHTTPError):
            kind = DownloadError
        if isinstance(error, hub.errors.EntryNotFoundError):
            kind = MissingFileError
        raise kind(
            f'could not get {name} of {repo}: {" ".join(str(error).split())} Cure: on '
            f'a machine with a network, run "hf download {repo} {name} --local-dir '
            '." and give the path of the file (--checkpoint). HF_HOME moves the cache '
            f'from {hub.constants.HF_HUB_CACHE} to another disk'
        ) from error
    return path


def _is_as_named(path: Path) -> bool:
    """Compare a file of the Hub's cache with its checksum; remove it if it differs."""
    if not path.is_symlink():  # as on Windows: the checksum is not known
        return True
    blob = path.parent / path.readlink()
    is_sha256 = re.fullmatch('[0-9a-f]{64}', blob.name)  # others are of small files
    if not is_sha256 or _is_right(blob, blob.name):
        return True
    path.unlink()
    blob.unlink(missing_ok=True)
    return False


def download(url: str, sha256: str | None = None) -> Path:
    """Return the local copy of a file, downloading it if there is none.

    The file goes to ``checkpoints/`` of torch's hub directory (``$TORCH_HOME/hub`` or
    ``~/.cache/torch/hub``). Processes that start together wait for the first one; a
    copy appears under its name only when it is complete and has the right checksum.
    With ``HF_HUB_OFFLINE=1`` nothing is downloaded.

    Args:
        url: Where the file is.
        sha256: Its checksum in hexadecimal, None where it is not known.

    Raises:
        DownloadError: There is no network, no room, or the file is not the right one.
    """
    # CLIP's addresses have the checksum; of others, nothing else would tell one
    # model.safetensors from another.
    mark = sha256 or hashlib.sha256(url.encode()).hexdigest()
    name = Path(urlparse(url).path)
    new = f'{name.stem or "checkpoint"}-{mark[:8]}{name.suffix}'
    path = (
        Path(torch.hub.get_dir()) / 'checkpoints' / (name.name if mark in url else new)
    )
    try:
        if _is_right(path, sha256):  # also in a cache that may only be read
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock  # noqa: PLC0415 (slow to import)

        with FileLock(f'{path}.lock'):
            if not _is_right(path, sha256):
                _fetch(url, path, sha256)
    except (OSError, RuntimeError, CheckpointError) as error:
        raise DownloadError(
            f'could not get {url}: {error}. Cure: on a machine with a network, run '
            f'"curl -L -o {path.name} {url}", and move the file to {path.parent} '
            '(TORCH_HOME moves that to another disk), or give its path in its place'
        ) from error
    return path


def _is_right(path: Path, sha256: str | None) -> bool:
    """Compare a file with its checksum, once: what was right is noted beside it."""
    if not path.is_file() or sha256 is None:
        return path.is_file()
    note = path.with_name(f'{path.name}.sha256')
    right = f'{sha256} {path.stat().st_size} {path.stat().st_mtime_ns}'
    if note.is_file() and note.read_text() == right:
        return True
    if files.sha256(path) != sha256:
        return False
    with suppress(OSError):  # a cache that may only be read
        files.write_text(note, right, overwrite=True)
    return True


def _fetch(url: str, path: Path, sha256: str | None) -> None:
    from huggingface_hub import constants  # noqa: PLC0415 (with what it imports)

    if constants.HF_HUB_OFFLINE:
        raise OSError('HF_HUB_OFFLINE is set')
    print_log(f'Downloading {url} to {path}', logger='current')
    with files.atomic(path) as new:
        torch.hub.download_url_to_file(url, str(new), hash_prefix=sha256)
        identify_form(new)  # without a checksum, at least: is it a checkpoint?
