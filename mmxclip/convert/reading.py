"""Open checkpoint files of any form, safely, and say what is wrong with bad ones.

Nothing in a file is ever executed: pickles are read with ``weights_only=True``,
TorchScript archives by :mod:`mmxclip.convert.torchscript`. ``trust=True`` lifts this
for pickles that need it.
"""

import json
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from mmxclip.convert.report import ConversionError
from mmxclip.convert.torchscript import read_torchscript

_FOLDER_WEIGHTS = ('model.safetensors', 'pytorch_model.bin')


class UnsafeCheckpointError(ConversionError):
    """A pickle asks for more than tensors and plain Python values."""


@dataclass(frozen=True)
class Opened:
    """What a file holds.

    Args:
        content: A state dict, or a dict that has one inside.
        form: Form of the file in words.
        config: ``config.json`` next to the weights, of Hugging Face folders.
    """

    content: Mapping[str, Any]
    form: str
    config: Mapping[str, Any] | None = None


def read_checkpoint(
    path: str | Path, *, trust: bool = False, map_location: Any = 'cpu'
) -> Opened:
    """Open a checkpoint.

    Args:
        path: A PyTorch file, a TorchScript archive, a ``.safetensors`` file or a
            Hugging Face folder.
        trust: Execute pickles that ask for more than weights. Only for files whose
            author you trust as you would trust a program.
        map_location: Device of the tensors of PyTorch files, as in ``torch.load``.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafeCheckpointError: A pickle asks for more than weights; see ``trust``.
        ConversionError: The file is damaged or no checkpoint at all.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    config_path = (path if path.is_dir() else path.parent) / 'config.json'
    if path.is_dir():
        path = _weights_of_folder(path)
    form = identify_form(path)
    if form == 'safetensors file':
        content = _guarded(path, lambda: load_file(path))
    elif form == 'TorchScript archive':
        content = _guarded(path, lambda: read_torchscript(path))
    else:
        content = _guarded(path, lambda: _read_pickle(path, trust, map_location))
    if not isinstance(content, Mapping):
        raise ConversionError(
            f'{path} holds a {type(content).__name__}, not a dict of tensors. Save '
            'the state dict of the model: torch.save(model.state_dict(), ...).'
        )
    config = None
    if path.name in _FOLDER_WEIGHTS and config_path.is_file():
        config = _read_config(config_path)
    return Opened(content, form, config)


def identify_form(path: Path) -> str:
    """Say what form a file has, from its first bytes and its directory.

    Returns:
        'TorchScript archive', 'PyTorch file' or 'safetensors file'.

    Raises:
        ConversionError: It is empty, a web page, a Git LFS pointer, truncated, or
            something else.
    """
    with path.open('rb') as file:
        head = file.read(512)
    again = 'Download it again' + (
        ' (Google Drive: with a browser or gdown, not with wget).'
        if b'oogle' in head
        else '.'
    )
    if not head:
        raise ConversionError(f'{path} is empty. {again}')
    if head.lstrip().startswith(b'<'):
        raise ConversionError(
            f'{path} is a web page, not a checkpoint: the link led to a download '
            f'page. {again}'
        )
    if head.startswith(b'version https://git-lfs'):
        raise ConversionError(
            f'{path} is a Git LFS pointer, not the weights. Run: git lfs pull'
        )
    if head.startswith(b'PK'):
        return _identify_zip(path, again)
    if head.startswith(b'\x80'):
        return 'PyTorch file'  # before torch 1.6
    if len(head) > 8 and head[8:9] == b'{':
        try:
            with safe_open(path, 'pt'):
                return 'safetensors file'
        except SafetensorError as error:
            raise ConversionError(
                f'{path} is truncated ({path.stat().st_size:,} bytes): {error}. {again}'
            ) from error
    raise ConversionError(
        f'{path} is no checkpoint: it begins with {head[:8]!r}. PyTorch files, '
        'TorchScript archives, safetensors files and Hugging Face folders are read.'
    )


def _identify_zip(path: Path, again: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ConversionError(
            f'{path} is truncated ({path.stat().st_size:,} bytes): its directory, at '
            f'the end, is missing. {again}'
        ) from error
    except Exception as error:  # zipfile trusts what the directory says
        raise _damaged(path, error) from error
    if any(name.endswith('/constants.pkl') for name in names):
        return 'TorchScript archive'
    if any(name.endswith('/data.pkl') for name in names):
        return 'PyTorch file'
    raise ConversionError(f'{path} is a zip file without weights. Unpack it first.')


def _weights_of_folder(folder: Path) -> Path:
    for name in _FOLDER_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise ConversionError(
        f'the folder {folder} has none of {", ".join(_FOLDER_WEIGHTS)}. Weights split '
        'into several files are not read: save them by '
        "save_pretrained(folder, max_shard_size='100GB')."
    )


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    """Turn what readers raise on damaged files, which is anything, into one error."""
    try:
        with naming_full_memory(path):
            return read()
    except (ConversionError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise _damaged(path, error) from error


@contextmanager
def naming_full_memory(path: str | Path) -> Iterator[None]:
    """Turn the RuntimeError of torch on CPUs into an error that names the file.

    Args:
        path: The file that is read meanwhile.

    Raises:
        MemoryError: It does not fit into memory.
    """
    try:
        yield
    except RuntimeError as error:
        if 'allocate memory' in str(error):
            raise MemoryError(f'{path} does not fit into memory') from error
        raise


def _damaged(path: Path, error: Exception) -> ConversionError:
    reason = str(error).strip().split('\n')[0] or type(error).__name__
    return ConversionError(
        f'{path} is damaged or truncated ({reason}). Download it again.'
    )


def _read_config(path: Path) -> dict[str, Any]:
    """Read the ``config.json`` of a Hugging Face folder."""
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise ConversionError(f'{path} is not JSON: {error}.') from error
    parts = {'it': config}
    if isinstance(config, dict):
        parts |= {key: config.get(key, {}) for key in ('text_config', 'vision_config')}
    for key, part in parts.items():
        if not isinstance(part, dict):
            raise ConversionError(
                f'{path}: {key} must be an object of settings, is {part!r}. Download '
                'the file again, or remove it: it is only compared with the weights.'
            )
    return config


def _read_pickle(path: Path, trust: bool, map_location: Any) -> Any:
    # Official X-CLIP checkpoints carry their settings, a dict of this class.
    settings = (OrderedDict, 'yacs.config.CfgNode')
    try:
        with torch.serialization.safe_globals([settings]):
            return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        if trust:
            return torch.load(path, map_location=map_location, weights_only=False)
        asked = re.search(r"(?:GLOBAL|class|type) '?([\w.]+\.\w+)", str(error))
        if asked is None:
            reason = str(error).split('error:')[-1]
            raise _damaged(path, ValueError(reason)) from error
        raise UnsafeCheckpointError(
            f'{path} is a pickle that asks for more than weights: {asked[1]}. '
            'Such a file can run any program when it is opened, so it is refused. If '
            'you trust its author, convert it once: tools/convert_checkpoint.py '
            f'{path} OUT.pth --trust'
        ) from error
