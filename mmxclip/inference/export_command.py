"""The command that exports a model."""

import os
from typing import Any

from mmxclip.export import export_onnx
from mmxclip.export.engine import DType
from mmxclip.inference.labels import parse_labels
from mmxclip.inference.named_models import is_name
from mmxclip.inference.predict import open_inferencer


def export_command(
    model: str,
    out: str | os.PathLike,
    *,
    config: str | None = None,
    labels: str | None = None,
    dtype: DType = 'fp32',
    freeze_classes: bool = False,
) -> None:
    """Export a model to a new folder, and say how near it is to PyTorch.

    Args:
        model: Name of a released model, or path of a checkpoint.
        out: See :func:`export_onnx`.
        config: Config of the checkpoint. Default: the one that fits it.
        labels: Class names, see :func:`parse_labels`. Default: those of the config.
        dtype: See :func:`export_onnx`.
        freeze_classes: See :func:`export_onnx`.

    Raises:
        OSError: A file is missing, or ``out`` is there already.
        ValueError: A part of the model cannot be exported.
    """
    names = None if labels is None else parse_labels(labels)
    chosen: dict[str, Any] = dict(config=config, checkpoint=model)
    if is_name(model):
        chosen = dict(config=model)
    inferencer = open_inferencer(names, **chosen, device='cpu')
    differences = export_onnx(
        inferencer.model,
        inferencer.cfg.test_dataloader.dataset.pipeline,
        out,
        dtype=dtype,
        freeze_classes=freeze_classes,
        weights=model,
    )
    for name, difference in differences.items():
        told = f'difference to PyTorch {difference:.1e}'
        if name == 'video' and dtype == 'int8':
            told = f'least cosine with PyTorch {difference:.5f}'
        print(f'{name}.onnx: {told}')  # noqa: T201
    print(f'python {out}/predict.py VIDEO --labels "a, b"')  # noqa: T201
