"""Write converted weights, completely or not at all."""

import errno
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.convert.conversion import from_mmxclip
from mmxclip.convert.geometry import measure
from mmxclip.convert.huggingface import make_config
from mmxclip.convert.report import ConversionReport
from mmxclip.convert.table import StateDict

# disk full, quota used up, file size limit
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_mmxclip(
    path: str | Path,
    state_dict: StateDict,
    *,
    extras: Mapping[str, Any] | None = None,
    force: bool = False,
) -> None:
    """Write a checkpoint as MMEngine does.

    Args:
        path: The file to write.
        state_dict: Tensors under our names.
        extras: What else the checkpoint holds, such as 'meta' and 'optimizer'.
        force: Replace a file that is there.

    Raises:
        FileExistsError: There is a file, and no ``force``.
        OSError: There is no room; nothing is left behind.
    """
    content = {'meta': {}, **(extras or {}), 'state_dict': state_dict}
    _write(Path(path), lambda partial: torch.save(content, partial), force)


def write_foreign(
    path: str | Path,
    state_dict: Mapping[str, Tensor],
    target: str,
    *,
    force: bool = False,
) -> ConversionReport:
    """Write our weights in another layout.

    Args:
        path: The file to write; for 'huggingface' a folder.
        state_dict: All parameters of our recognizer.
        target: 'official', 'huggingface' or 'openai-clip'.
        force: Replace what is there.

    Returns:
        The account of the conversion.

    Raises:
        ConversionError: Parameters are missing or unknown.
        FileExistsError: There is something at this path, and no ``force``.
        OSError: There is no room; nothing is left behind.
    """
    tensors, report = from_mmxclip(state_dict, target)
    if target == 'huggingface':
        config = make_config(measure(state_dict))
        _write(
            Path(path), lambda partial: _save_folder(partial, tensors, config), force
        )
    else:
        content = {'model': tensors} if target == 'official' else tensors
        _write(Path(path), lambda partial: torch.save(content, partial), force)
    return report


def _save_folder(folder: Path, tensors: StateDict, config: Mapping[str, Any]) -> None:
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 (optional)
        from safetensors.torch import save_file  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ImportError(
            'a Hugging Face folder needs the safetensors package: '
            'pip install safetensors'
        ) from error
    folder.mkdir()
    # safetensors refuses views of one storage, which checkpoints may hold
    copies = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    try:
        save_file(copies, folder / 'model.safetensors', metadata={'format': 'pt'})
    except SafetensorError as error:
        raise RuntimeError(str(error)) from error
    text = json.dumps(dict(config), indent=2)
    (folder / 'config.json').write_text(text + '\n')


def _write(path: Path, save: Any, force: bool) -> None:
    """Save under a temporary name beside ``path``, then rename."""
    if path.exists() and not force:
        raise FileExistsError(f'{path} exists. Give another name, or --force.')
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.part')
    _remove(partial)
    try:
        save(partial)
        if partial.is_dir():
            _remove(path)  # a folder cannot be replaced by renaming
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_ROOM:
            raise
        raise OSError(f'could not write {path} (is the disk full?): {error}') from error
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
