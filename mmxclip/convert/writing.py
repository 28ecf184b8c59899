"""Write converted weights, completely or not at all."""

import errno
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from mmxclip.convert.conversion import from_mmxclip
from mmxclip.convert.geometry import measure
from mmxclip.convert.heads import Heads
from mmxclip.convert.huggingface import make_config
from mmxclip.convert.report import ConversionReport
from mmxclip.convert.table import StateDict

# disk full, quota used up, file size limit
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FOLDER_FILES = {'config.json', 'model.safetensors'}


def require_writable(
    path: str | Path, target: str = 'mmxclip', *, force: bool = False
) -> None:
    """Raise unless a result of the conversion may be written to this path.

    Args:
        path: A file; for 'huggingface' a folder.
        target: 'mmxclip', 'official', 'huggingface' or 'openai-clip'.
        force: Replace what is there: a file, or a folder with nothing but what a
            conversion to 'huggingface' writes.

    Raises:
        IsADirectoryError: There is a folder where a file must be.
        NotADirectoryError: There is a file where a folder must be.
        FileExistsError: There is something, and no ``force`` or more than it covers.
    """
    path = Path(path)
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise NotADirectoryError(f'cannot write {path}: {above} is a file, no folder')
    if not path.exists():
        return
    if target != 'huggingface' and path.is_dir():
        raise IsADirectoryError(
            f'{path} is a folder; for the layout {target!r} give the name of a file, '
            f'such as {path / "xclip.pth"}'
        )
    if target == 'huggingface' and not path.is_dir():
        raise NotADirectoryError(
            f"{path} is a file; for the layout 'huggingface' give the name of a folder"
        )
    if not force:
        raise FileExistsError(f'{path} exists. Give another name, or --force.')
    if path.is_dir():
        others = {item.name for item in path.iterdir()} - _FOLDER_FILES
        if others:
            raise FileExistsError(
                f'{path} holds more than {" and ".join(sorted(_FOLDER_FILES))}, such '
                f'as {min(others)}, and is not replaced. Give another name.'
            )


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
        OSError: There is no room, and nothing is left behind; or see
            `require_writable`.
    """
    content = {'meta': {}, **(extras or {}), 'state_dict': state_dict}
    require_writable(path, force=force)
    _write(Path(path), lambda partial: torch.save(content, partial))


def write_foreign(
    path: str | Path,
    state_dict: Mapping[str, Tensor],
    target: str,
    *,
    heads: Heads | None = None,
    force: bool = False,
) -> ConversionReport:
    """Write our weights in another layout.

    Args:
        path: The file to write; for 'huggingface' a folder.
        state_dict: All parameters of our recognizer.
        target: 'official', 'huggingface' or 'openai-clip'.
        heads: Attention heads for ``config.json``; default: 64 channels each.
        force: Replace what is there, as `require_writable` allows.

    Returns:
        The account of the conversion.

    Raises:
        ConversionError: Parameters are missing or unknown.
        OSError: There is no room, and nothing is left behind; or see
            `require_writable`.
    """
    tensors, report = from_mmxclip(state_dict, target)
    require_writable(path, target, force=force)
    if target == 'huggingface':
        config = make_config(measure(state_dict, heads))
        _write(Path(path), lambda partial: _save_folder(partial, tensors, config))
    else:
        content = {'model': tensors} if target == 'official' else tensors
        _write(Path(path), lambda partial: torch.save(content, partial))
    return report


def _save_folder(folder: Path, tensors: StateDict, config: Mapping[str, Any]) -> None:
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


def _write(path: Path, save: Callable[[Path], None]) -> None:
    """Save beside ``path``, then rename; what was there goes last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f'.{path.name}.') as folder:
        partial, old = Path(folder) / 'new', Path(folder) / 'old'
        try:
            save(partial)
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_ROOM:
                raise
            raise OSError(
                f'could not write {path} (is the disk full?): {error}'
            ) from error
        if path.is_dir():  # which a rename cannot replace
            path.rename(old)
        try:
            partial.replace(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
