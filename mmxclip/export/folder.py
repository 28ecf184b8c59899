"""A folder that a model runs from by itself: graphs, words, settings and a program."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.utils import ConfigType
from torch import nn

from mmxclip.checkpoints.formats import digest
from mmxclip.export import standalone
from mmxclip.export.engine import DType
from mmxclip.export.graphs import graphs_of, text_length
from mmxclip.export.onnx_file import check_onnx, quantise, quiet, write_onnx
from mmxclip.export.pipeline import pipeline_settings
from mmxclip.models import MultiLabelHead, XCLIPHead
from mmxclip.models.adapters import merge_adapters
from mmxclip.text.tokenizer import clip_file
from mmxclip.utils.files import atomic


def export_onnx(
    recognizer: nn.Module,
    pipeline: Sequence[ConfigType],
    out: str | os.PathLike,
    *,
    dtype: DType = 'fp32',
    freeze_classes: bool = False,
    weights: str = '',
) -> dict[str, float]:
    """Write a model as graphs in ONNX, with all that they need to run without torch.

    Args:
        recognizer: MMAction2's ``Recognizer3D`` with an :class:`XCLIPHead`, tested
            through ``pipeline``; its LoRAs become weights.
        pipeline: Steps of its test pipeline.
        out: New folder: ``video.onnx``, ``text.onnx``, ``score.onnx``,
            ``pipeline.json``, the vocabulary, ``predict.py`` and its tokenizer.
        dtype: ``'int8'`` multiplies in ``video.onnx`` with 8 bits.
        freeze_classes: Write ``classes.npy``, the features of the model's classes, in
            place of ``text.onnx``: no other classes can be asked for then.
        weights: What the weights are called.

    Returns:
        dict: For each graph the greatest difference to PyTorch over the range of its
        values, on inputs of other sizes than it was made with; without those of
        ``int8``, where ``video`` is the least cosine of an embedding.

    Raises:
        FileExistsError: The folder is there and not empty.
        ImportError: The packages of ``mmxclip[onnx]`` are missing.
        ValueError: A part cannot be exported, says which and why; or a graph differs.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f'{out} is there already: choose another folder')
    recognizer = recognizer.eval().float().cpu()
    head = recognizer.cls_head
    if type(head) not in (XCLIPHead, MultiLabelHead):
        raise ValueError(
            f'cls_head cannot be exported: {type(head).__name__} scores in its own '
            "way; use type='XCLIPHead'"
        )
    settings = pipeline_settings(pipeline) | _answers(head)
    settings |= dict(weights=weights, sha256=digest(recognizer.state_dict()))
    merge_adapters(recognizer)
    with atomic(out) as new, quiet():
        new.mkdir()
        differences = {}
        for graph in graphs_of(recognizer):
            if graph.name == 'text' and freeze_classes:
                features = head.text_features().numpy()
                np.save(new / 'classes.npy', features, allow_pickle=False)
                continue
            path = new / f'{graph.name}.onnx'
            write_onnx(graph, path, settings)
            differences[graph.name] = check_onnx(graph, path)
            if graph.name == 'video' and dtype == 'int8':
                differences[graph.name] = quantise(graph, path)
        _write_program(new, settings)
    return differences


def _answers(head: XCLIPHead) -> dict[str, Any]:
    """Return how logits become answers."""
    if head.average_clips is None:
        raise ValueError(
            'cls_head cannot be exported: average_clips=None gives each view an answer '
            "of its own; use 'prob' or 'score'"
        )
    activation = None
    if head.average_clips == 'prob':
        activation = 'sigmoid' if isinstance(head, MultiLabelHead) else 'softmax'
    return dict(
        activation=activation,
        bias=float(getattr(head, 'logit_bias', 0.0)),
        scale=float(head.logit_scale.detach().float().exp()),
        classes=head.classes.plain(),
        templates=list(head.templates),
        context_length=text_length(head),
    )


def _write_program(folder: Path, settings: Mapping[str, Any]) -> None:
    text = json.dumps(settings, indent=2, ensure_ascii=False)
    (folder / 'pipeline.json').write_text(text + '\n', encoding='utf-8')
    source = Path(standalone.__file__).parent
    shutil.copy(source / 'clip_tokenizer.py', folder)
    program = (source / 'predict.py').read_text(encoding='utf-8')
    program = program.replace(f'from {standalone.__name__}.', 'from ')
    (folder / 'predict.py').write_text(program, encoding='utf-8')
    vocabulary = clip_file('bpe_simple_vocab_16e6.txt.gz')
    shutil.copy(vocabulary, folder / 'vocabulary.txt.gz')
