"""Files in ONNX: written, checked against PyTorch, with 8 bits."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.export.graphs import Graph

_OPSET = 20
_TOLERANCE = 1e-4  # of the range of values
_NEEDED = 'the export needs onnx, onnxscript and onnxruntime: pip install mmxclip[onnx]'


def write_onnx(graph: Graph, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write a graph.

    Args:
        graph: Part of a model.
        path: ``.onnx`` file; weights of more than 2 GB go into a second one beside it.
        metadata: Is stored in it.

    Raises:
        ImportError: Packages of the extra are missing.
        ValueError: The part cannot be exported, says which and why.
    """
    program = graph.program()
    try:
        exported = torch.onnx.export(
            program,
            input_names=list(graph.given(graph.traced)),
            output_names=graph.outputs,
            opset_version=_OPSET,
            verbose=False,
        )
    except ImportError as error:
        raise ImportError(_NEEDED) from error
    varying = [sizes for sizes in graph.inputs.values() if sizes is not None]
    symbols = {
        str(value.shape[axis]): size.__name__
        for value, sizes in zip(exported.model.graph.inputs, varying, strict=True)
        for axis, size in sizes.items()
    }
    exported.rename_axes(symbols)
    exported.model.metadata_props.update(
        {name: str(value) for name, value in metadata.items()}
    )
    exported.save(path)


def check_onnx(graph: Graph, path: Path) -> float:
    """Run a graph on inputs of other sizes than those it was made with.

    Returns:
        float: The greatest difference to PyTorch, over the range of the values.

    Raises:
        ValueError: It is above 1e-4.
    """
    worst = 0.0
    for ours, theirs in _both(graph, path):
        span = float(ours.max() - ours.min())
        worst = max(worst, float((ours - theirs).abs().max()) / span)
    if not worst <= _TOLERANCE:
        raise ValueError(
            f'{graph.name} in ONNX differs from PyTorch by {worst:.1e} of the range of '
            f'its values; at most {_TOLERANCE:.0e} is right'
        )
    return worst


def quantise(graph: Graph, path: Path) -> float:
    """Have a graph multiply matrices with 8 bits, in place.

    Returns:
        float: The least cosine of an output with that of PyTorch.
    """
    from onnxruntime.quantization import quantize_dynamic  # noqa: PLC0415

    small = path.with_name(f'int8_{path.name}')
    quantize_dynamic(
        path,
        small,
        op_types_to_quantize=['MatMul', 'Gemm'],  # without 'Attention'
        per_channel=True,
        reduce_range=True,  # 7 bits: CPUs without VNNI add up in 16
    )
    for old in path.parent.glob(f'{path.name}*'):  # also the weights beside it
        old.unlink()
    small.rename(path)
    pairs = _both(graph, path)
    return min(float(F.cosine_similarity(a, b, dim=-1).min()) for a, b in pairs)


def open_onnx(path: Path, num_threads: int = 0) -> Any:
    """Return the session of onnxruntime that runs a file on the CPU.

    Raises:
        ImportError: The extra is missing.
    """
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(_NEEDED) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    return onnxruntime.InferenceSession(
        path, options, providers=['CPUExecutionProvider']
    )


def _both(graph: Graph, path: Path) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield outputs of PyTorch and of the file on the other sizes."""
    session = open_onnx(path)
    given = {name: x.numpy() for name, x in graph.given(graph.others).items()}
    with torch.no_grad():
        ours = graph.module(*graph.others)
    ours = ours if isinstance(ours, tuple) else (ours,)
    for one, other in zip(ours, session.run(None, given), strict=True):
        yield one, torch.from_numpy(np.asarray(other))


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what exporters say of packages, and models of numbers of frames."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)
