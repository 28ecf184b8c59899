"""Open checkpoint files of any form, safely, and say what is wrong with bad ones.

Nothing in a file is ever executed: pickles are read with ``weights_only=True``, of
TorchScript archives only the tensors. ``trust=True`` lifts this for pickles that need
it. What claims more memory than the file is long is refused before it gets any.
"""

import hashlib
import json
import os
import pickle
import re
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.checkpoints.archives import check_archive, read_torchscript
from mmxclip.checkpoints.layouts import StateDict
from mmxclip.checkpoints.report import CheckpointError

CHECKSUM = 'sha256'  # in the metadata of the safetensors that we write
# Weights in folders of open_clip and of Hugging Face, and what says more about them.
FOLDER_WEIGHTS = (
    'open_clip_model.safetensors',
    'open_clip_pytorch_model.bin',
    'model.safetensors',
    'pytorch_model.bin',
)
OPEN_CLIP_CONFIG = 'open_clip_config.json'
CONFIGS = ('preprocessor_config.json', 'config.json')
_TOWERS = ('text', 'vision')  # that config.json has settings of
_CONTAINERS = ('state_dict', 'model', 'module')
_PREFIXES = ('module.', '_orig_mod.', 'model.')  # of wrappers
_PLAIN = r'torch\.(b?float(16|32|64)|u?int(8|16|32|64)|bool)'  # types of tensors
# First bytes of what people download in place of a checkpoint.
_NO_CHECKPOINTS = {
    rb'$': 'is empty. Download it again',
    rb'\s*<': (
        'is a web page, not a checkpoint: the link led to a download page. Download it '
        'with a browser or gdown'
    ),
    rb'version https://git-lfs': 'is a Git LFS pointer. Run: git lfs pull',
}


class UnsafeCheckpointError(CheckpointError):
    """A pickle asks for more than tensors and plain Python values."""


@dataclass(frozen=True)
class Opened:
    """What a file holds.

    Args:
        state_dict: Its tensors, out of containers and without wrappers' prefixes.
        extras: What there is beside the tensors, by name.
        form: Form of the file in words.
        config: What ``config.json`` and the like next to the weights say.
        name: Where it comes from, for messages.
    """

    state_dict: StateDict
    extras: Mapping[str, Any] = field(default_factory=dict)
    form: str = 'checkpoint'
    config: Mapping[str, Any] | None = None
    name: str = 'the checkpoint'

    @classmethod
    def of(cls, content: Mapping[str, Any], **about: Any) -> 'Opened':
        """Take tensors out of their containers, and their names out of wrappers."""
        extras: dict[str, Any] = {}
        for container in _CONTAINERS:
            if isinstance(content.get(container), Mapping):
                extras |= {str(k): v for k, v in content.items() if k != container}
                content = content[container]
        tensors = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
        extras |= {str(k): v for k, v in content.items() if str(k) not in tensors}
        for prefix in 2 * _PREFIXES:  # they may be wrapped twice
            if all(name.startswith(prefix) for name in tensors):
                tensors = {name[len(prefix) :]: t for name, t in tensors.items()}
        return cls(tensors, extras, **about)


def open_checkpoint(
    path: str | os.PathLike, *, trust: bool = False, map_location: Any = 'cpu'
) -> Opened:
    """Open a checkpoint.

    Args:
        path: A PyTorch file, a TorchScript archive, a ``.safetensors`` file or a
            Hugging Face folder, also one whose weights are split.
        trust: Execute pickles that ask for more than weights. Only for files whose
            author you trust as you would trust a program.
        map_location: Device of the tensors of PyTorch files, as in ``torch.load``.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafeCheckpointError: A pickle asks for more than weights; see ``trust``.
        CheckpointError: The file is damaged or no checkpoint at all.
        MemoryError: It does not fit into memory.
    """
    path = Path(path).expanduser()
    _require_readable(path)
    files = _files_of_folder(path) if path.is_dir() else [path]
    readers: dict[str, Callable[[Path], Any]] = {
        'safetensors file': _read_safetensors,
        'TorchScript archive': read_torchscript,
        'PyTorch file': lambda file: _read_pickle(file, trust, map_location),
    }
    content: dict[str, Any] = {}
    for file in files:
        form = identify_form(file)
        part = _naming_damage(file, readers[form])
        if not isinstance(part, Mapping):
            raise CheckpointError(
                f'{file} holds a {type(part).__name__}, not a dict of tensors. Save '
                'the state dict of the model: torch.save(model.state_dict(), ...).'
            )
        content |= part
    about: dict[str, Any] = dict(form=form, name=str(path))
    is_open_clip = files[0].name.startswith('open_clip_')
    names = (OPEN_CLIP_CONFIG,) if is_open_clip else CONFIGS
    beside = [file for name in names if (file := files[0].with_name(name)).is_file()]
    if beside and (path.is_dir() or path.name in FOLDER_WEIGHTS):
        about['config'] = {k: v for file in beside for k, v in _read_json(file).items()}
    opened = Opened.of(content, **about)
    for name, tensor in opened.state_dict.items():
        if kind := _unusual(tensor):
            raise CheckpointError(f'{path}: {name} is {kind}, not plain numbers.')
    return opened


def identify_form(path: Path) -> str:
    """Say what form a file has, from its first bytes; archives are checked.

    Returns:
        'TorchScript archive', 'PyTorch file' or 'safetensors file'.

    Raises:
        CheckpointError: It is empty, a web page, a Git LFS pointer, damaged, or
            something else.
    """
    _require_readable(path)
    with path.open('rb') as file:
        head = file.read(512)
    for start, problem in _NO_CHECKPOINTS.items():
        if re.match(start, head):
            raise CheckpointError(f'{path} {problem}.')
    if head.startswith(b'PK'):
        is_script = _naming_damage(path, check_archive)
        return 'TorchScript archive' if is_script else 'PyTorch file'
    if head[8:9] == b'{':
        _naming_damage(path, lambda file: _read_safetensors(file, header_only=True))
        return 'safetensors file'
    if head.startswith(b'\x80'):
        return 'PyTorch file'  # before torch 1.6
    raise CheckpointError(
        f'{path} is no checkpoint: it begins with {head[:8]!r}. PyTorch files, '
        'TorchScript archives, safetensors files and Hugging Face folders are read.'
    )


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a checksum over the names, types, shapes and bytes of tensors."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        total.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}\n'.encode())
        total.update(tensor.flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def _require_readable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f'there is no checkpoint {path}') from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise CheckpointError(f'{path} is a pipe, socket or device, not a file.')
    if not os.access(path, os.R_OK):
        raise PermissionError(f'{path} may not be read: set its permissions.')


def _files_of_folder(folder: Path) -> list[Path]:
    """Return the files with the weights of a Hugging Face folder."""
    for name in FOLDER_WEIGHTS:
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f'{name}.index.json'
        if index.is_file():
            return [folder / file for file in parts_of(index)]
    raise CheckpointError(
        f'the folder {folder} has none of {", ".join(FOLDER_WEIGHTS)}.'
    )


def parts_of(index: Path) -> list[str]:
    """Return the names of the files that an index of split weights lists."""
    parts = _read_json(index).get('weight_map')
    files = set(map(str, parts.values() if isinstance(parts, dict) else ['']))
    if not all(file and Path(file).name == file for file in files):
        raise CheckpointError(f'{index} does not list files of its folder.')
    return sorted(files)


def _unusual(tensor: Tensor) -> str | None:
    """Name what is not a block of plain numbers."""
    if tensor.is_nested or tensor.layout is not torch.strided:
        return 'nested' if tensor.is_nested else str(tensor.layout)
    if tensor.is_meta or not re.fullmatch(_PLAIN, str(tensor.dtype)):
        return 'on the meta device' if tensor.is_meta else f'of type {tensor.dtype}'
    axes = zip(tensor.stride(), tensor.shape, strict=True)
    repeats = any(step == 0 and size > 1 for step, size in axes)
    return 'one number that is repeated (stride 0)' if repeats else None


def _naming_damage(path: Path, read: Callable[[Path], Any]) -> Any:
    """Turn what readers raise on damaged files, which is anything, into one error."""
    try:
        return read(path)
    except (CheckpointError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        # Of torch on CPUs, it is a RuntimeError.
        if isinstance(error, MemoryError) or 'allocate memory' in str(error):
            raise MemoryError(f'{path} does not fit into memory') from error
        reason = str(error).strip().split('\n')[0] or type(error).__name__
        raise CheckpointError(
            f'{path} is damaged or truncated at {path.stat().st_size:,} bytes '
            f'({reason}). Download it again.'
        ) from error


def _read_safetensors(path: Path, *, header_only: bool = False) -> StateDict:
    from safetensors import safe_open  # noqa: PLC0415 (slow to import)

    with safe_open(path, 'pt') as file:
        names = [] if header_only else file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
        checksum = (file.metadata() or {}).get(CHECKSUM)
    if not header_only and checksum not in (None, digest(tensors)):
        raise CheckpointError(
            f'{path} is damaged: its tensors do not have the checksum that was written '
            'with them. Download it again.'
        )
    return tensors


def _read_json(path: Path) -> dict[str, Any]:
    """Read the ``config.json`` or the index of a Hugging Face folder."""
    try:
        content = json.loads(path.read_bytes())
        parts = [content, *(content.get(f'{part}_config', {}) for part in _TOWERS)]
    except (ValueError, RecursionError, AttributeError) as error:
        raise CheckpointError(f'{path} is no object in JSON ({error}).') from error
    if not all(isinstance(part, dict) for part in parts):
        raise CheckpointError(f'{path}: text_config and vision_config must be objects.')
    return content


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
            raise ValueError(str(error).split('error:')[-1]) from error
        raise UnsafeCheckpointError(
            f'{path} is a pickle that asks for more than weights: {asked[1]}. '
            'Such a file can run any program when it is opened, so it is refused. If '
            'you trust its author, convert it once: tools/convert_checkpoint.py '
            f'{path} OUT.pth --trust'
        ) from error
