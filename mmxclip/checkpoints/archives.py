"""Zip archives of torch: checked before they are read, and TorchScript's read here.

OpenAI distributes CLIP as TorchScript archives. ``torch.load`` refuses them, and
``torch.jit.load`` compiles the program inside and may run parts of it. In an archive
``data.pkl`` describes the tree of modules and ``data/N`` holds the bytes of a tensor.
The unpickler below knows tensors and empty shells of modules; any other name in the
pickle is refused.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.checkpoints.report import CheckpointError


def check_archive(path: Path) -> bool:
    """Check all that is read of an archive, also against its checksums.

    Torch's readers compare no checksums, and unpack what claims more than the file
    holds; torch itself never compresses tensors.

    Returns:
        bool: Whether it is a TorchScript archive, rather than a PyTorch file.

    Raises:
        CheckpointError: It is damaged, or no checkpoint.
    """
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
        names = [record.filename for record in records]
        if not any(name.endswith('/data.pkl') for name in names):
            raise CheckpointError(f'{path} is a zip file without weights. Unpack it.')
        is_script = any(name.endswith('/constants.pkl') for name in names)
        if is_script:  # its programs are compressed, and not read
            root = names[0].split('/')[0]
            read = (f'{root}/data.pkl', f'{root}/data/')
            records = [r for r in records if r.filename.startswith(read)]
        claimed, size = sum(r.file_size for r in records), path.stat().st_size
        packed = [r.filename for r in records if r.compress_type != zipfile.ZIP_STORED]
        if packed or claimed > size:
            raise CheckpointError(
                f'{path} claims to hold {claimed:,} bytes in {size:,}'
                + (f', {packed[0]} compressed, as torch never does' if packed else '')
                + '. Get the file as it was published.'
            )
        for record in records:
            with archive.open(record) as file:
                while file.read(1 << 22):  # at its end, the checksum is compared
                    pass
    return is_script


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Return the tensors of an archive made by ``torch.jit.save``, by dotted names.

    Args:
        path: The archive, which `check_archive` found good.

    Raises:
        CheckpointError: The archive holds anything but modules and tensors.
    """
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split('/')[0]
        return dict(_walk(_TensorUnpickler(archive, root).load()))


class _Shell:
    """Stands for a module of the archive: its attributes, none of its code."""

    def __setstate__(self, state: Any) -> None:
        self.attributes = state if isinstance(state, dict) else {}


class _TensorUnpickler(pickle.Unpickler):
    """Unpickle tensors and module shells, and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f'{root}/data.pkl'))
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        """Resolve the few names that tensors need; refuse the rest."""
        if module.startswith('__torch__'):
            return _Shell
        if module == 'torch.jit._pickle':  # typed lists: keep the list
            return lambda value, *_: value
        if module == 'torch' and name.endswith('Storage'):
            return getattr(torch, name)._dtype
        known = {'_rebuild_tensor_v2': _rebuild, 'OrderedDict': OrderedDict}
        if module in ('torch._utils', 'collections') and name in known:
            return known[name]
        raise CheckpointError(
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


def _rebuild(flat: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return flat.as_strided(size, stride, offset)


def _walk(node: Any, prefix: str = '') -> Iterator[tuple[str, Tensor]]:
    for name, value in getattr(node, 'attributes', {}).items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        yield from _walk(value, f'{prefix}{name}.')
