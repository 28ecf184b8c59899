"""Read the tensors of a TorchScript archive without running anything in it.

OpenAI distributes CLIP as such archives. ``torch.load`` refuses them, and
``torch.jit.load`` compiles the program inside and may run parts of it. An archive is
a zip file in which ``data.pkl`` describes the tree of modules and ``data/N`` holds the
bytes of a tensor. The unpickler below knows tensors and empty shells of modules; any
other name in the pickle is refused.
"""

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.convert.report import ConversionError

_DTYPES = {
    'DoubleStorage': torch.float64,
    'FloatStorage': torch.float32,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}


class _Shell:
    """Stands for a module of the archive: its attributes, none of its code."""

    def __setstate__(self, state: Any) -> None:
        self.attributes = state if isinstance(state, dict) else {}


class _TensorUnpickler(pickle.Unpickler):
    """Unpickle tensors and module shells, and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f'{root}/data.pkl'))
        self._archive = archive
        self._root = root

    def find_class(self, module: str, name: str) -> Any:
        """Resolve the few names that tensors need; refuse the rest.

        Raises:
            ConversionError: It is none of them.
        """
        if module.startswith('__torch__'):
            return _Shell
        if module == 'torch._utils' and name == '_rebuild_tensor_v2':
            return _rebuild
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        if module == 'collections' and name == 'OrderedDict':
            return OrderedDict
        if module == 'torch.jit._pickle':  # typed lists: keep the list
            return _first
        raise ConversionError(
            f'the archive asks for {module}.{name}, which no CLIP model needs; it is '
            'not opened'
        )

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the storage that the pickle refers to, as a flat tensor."""
        _, dtype, key, _, numel = pid
        if not numel:
            return torch.empty(0, dtype=dtype)
        data = bytearray(self._archive.read(f'{self._root}/data/{key}'))
        return torch.frombuffer(data, dtype=dtype, count=numel)


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Return the tensors of an archive made by ``torch.jit.save``.

    Args:
        path: The archive.

    Returns:
        dict: Parameters, buffers and other tensors by their dotted names.

    Raises:
        ConversionError: The archive holds anything but modules and tensors.
    """
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split('/')[0]
        tree = _TensorUnpickler(archive, root).load()
    return _collect(tree, '')


def _collect(node: Any, prefix: str) -> dict[str, Tensor]:
    found = {}
    for name, value in getattr(node, 'attributes', {}).items():
        if isinstance(value, Tensor):
            found[prefix + name] = value
        elif isinstance(value, _Shell):
            found |= _collect(value, f'{prefix}{name}.')
    return found


def _rebuild(
    storage: Tensor,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    *_: Any,
) -> Tensor:
    return storage.as_strided(size, stride, offset)


def _first(value: Any, *_: Any) -> Any:
    return value
