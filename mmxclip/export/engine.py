"""PyTorch's recognizer with onnxruntime in place of its towers."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmxclip.checkpoints.formats import digest
from mmxclip.export.graphs import towers_of
from mmxclip.export.onnx_file import check_onnx, open_onnx, quantise, quiet, write_onnx
from mmxclip.models.adapters import merge_adapters
from mmxclip.utils.checks import check_choice
from mmxclip.utils.files import atomic

Engine = Literal['torch', 'onnx']
DType = Literal['fp32', 'int8']
_PLAIN = (bool, int, float, str)
_FILE = 'towers.onnx'


class OnnxTowers(nn.Module):
    """Runs a graph ``towers`` as backbone and neck.

    Args:
        path: Its file, of whose folder it keeps the name among its weights.
        img_size: Side of the frames in pixels.
    """

    def __init__(self, path: Path, img_size: int) -> None:
        super().__init__()
        self.img_size = img_size
        self._session = open_onnx(path, torch.get_num_threads())
        # So that models which differ in their towers differ in their weights.
        self.register_buffer('digest', torch.tensor(list(path.parent.name.encode())))

    def forward(self, frames: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Encode frames (N, 3, T, H, W) on the CPU."""
        given = dict(frames=np.ascontiguousarray(frames.float().numpy()))
        feats = [torch.from_numpy(out) for out in self._session.run(None, given)]
        return feats[0] if len(feats) == 1 else (feats[0], feats[1])


def run_by_onnx(recognizer: nn.Module, dtype: DType = 'fp32') -> None:
    """Have a recognizer's towers run by onnxruntime, on the CPU, in place.

    They are exported once for these weights and kept in ``~/.cache/mmxclip`` (or
    ``XDG_CACHE_HOME``).

    Args:
        recognizer: MMAction2's ``Recognizer3D``; cannot be trained any more.
        dtype: ``'int8'`` multiplies with 8 bits: faster, nearly the same.

    Raises:
        ImportError: The packages of ``mmxclip[onnx]`` are missing.
        ValueError: A part of it cannot be exported; names it.
    """
    merge_adapters(recognizer.eval())
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache', 'mmxclip')
    folder = cache / f'{_digest(recognizer)[:32]}_{dtype}'
    if not folder.exists():
        graph = towers_of(recognizer)
        with atomic(folder) as new, quiet():
            new.mkdir()
            write_onnx(graph, new / _FILE, {})
            check_onnx(graph, new / _FILE)
            if dtype == 'int8':
                quantise(graph, new / _FILE)
    recognizer.backbone = OnnxTowers(folder / _FILE, recognizer.backbone.img_size)
    if recognizer.with_neck:
        del recognizer.neck


def check_engine(engine: Engine, dtype: DType, device: str | None) -> str | None:
    """Return the device to run on: that given, but the CPU for ``'onnx'``.

    Raises:
        ValueError: They do not fit each other, or the device is not there.
    """
    check_choice('engine', engine, Engine)
    check_choice('dtype', dtype, DType)
    if device and str(device).startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'device={device!r}, but torch finds no GPU here; use cpu')
    if engine == 'torch':
        if dtype != 'fp32':
            raise ValueError(f"dtype={dtype!r} needs engine='onnx'")
        return device
    if device not in (None, 'cpu'):
        raise ValueError(f"engine='onnx' runs on the CPU, got device={device!r}")
    return 'cpu'


def _digest(recognizer: nn.Module) -> str:
    """Return a checksum over all that stands before the head: weights and settings."""
    parts = [recognizer.backbone, *([recognizer.neck] if recognizer.with_neck else [])]
    weights: dict[str, Tensor] = {}
    settings = []
    for number, part in enumerate(parts):
        weights |= part.state_dict(prefix=f'{number}.')
        for name, module in part.named_modules():
            plain = {k: v for k, v in vars(module).items() if isinstance(v, _PLAIN)}
            settings.append((name, type(module).__name__, sorted(plain.items())))
    text = f'{torch.__version__} {digest(weights)} {settings}'
    return hashlib.sha256(text.encode()).hexdigest()
