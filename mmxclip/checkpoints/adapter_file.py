"""Files that hold what a training changed, and say which weights they need beside it.

Such a file is opened as any other: its base is looked for beside it, or by its name,
and is refused unless it has the checksum that the file says.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.checkpoints.formats import Opened, digest, open_checkpoint
from mmxclip.checkpoints.layouts import StateDict, identify
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.zoo import CLIP_MODELS, HUB, HUB_NAME, find

BASE = 'base'  # in the meta of such a file: name and sha256


def open_whole(path: str | os.PathLike, **options: Any) -> Opened:
    """Open a checkpoint; a file that needs a base comes with the tensors of the base.

    Args:
        path: The file or folder.
        **options: See `open_checkpoint`.

    Raises:
        CheckpointError: The base is not there, or is another one; or see
            `open_checkpoint`.
    """
    opened = open_checkpoint(path, **options)
    match opened.extras.get('meta'):
        case {'base': {'name': str(name), 'sha256': str(checksum)}, **meta}:
            base = open_checkpoint(_find_base(Path(path), name))
        case _:
            return opened
    if digest(base.state_dict) != checksum:
        raise CheckpointError(
            f'{path} needs {name} whose tensors have the sha256 {checksum}; '
            f'{base.name} is another one'
        )
    layout = identify(base.state_dict)
    tensors = layout.to_ours(base.state_dict).tensors if layout else base.state_dict
    return replace(
        opened,
        state_dict={**tensors, **opened.state_dict},
        extras={**opened.extras, 'meta': meta},
    )


def _find_base(path: Path, name: str) -> Path:
    beside = path.expanduser().with_name(Path(name).name)
    if beside.exists():
        return beside
    if name in CLIP_MODELS or name.startswith((HUB, HUB_NAME)):
        return find(name)
    raise CheckpointError(
        f'{path} holds only what was trained, on top of {name}: put that file beside it'
    )


def difference(
    tensors: Mapping[str, Tensor],
    start: Mapping[str, Tensor],
    base: str | os.PathLike,
    opened: Opened,
) -> tuple[StateDict, dict[str, str]]:
    """Return what was trained, and what a file of it says of its base.

    Args:
        tensors: Those of a trained model under our names.
        start: Those of the base under our names.
        base: Its name, or its path, of which the last part is kept.
        opened: The base as it was opened.

    Raises:
        CheckpointError: Nothing differs.
    """
    changed = {
        name: tensor
        for name, tensor in tensors.items()
        if name not in start
        or start[name].shape != tensor.shape
        or not torch.equal(start[name].to(tensor.dtype), tensor)
    }
    if not changed:
        raise CheckpointError(f'nothing differs from {base}: nothing was trained')
    path = Path(base)
    name = path.name if path.exists() else os.fspath(base)
    return changed, dict(name=name, sha256=digest(opened.state_dict))
