"""Conversion of recognised checkpoints, with a verdict on every tensor."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmxclip.convert.geometry import measure
from mmxclip.convert.heads import Heads
from mmxclip.convert.huggingface import HUGGINGFACE, compare_config
from mmxclip.convert.imagenet_vit import MMPRETRAIN, NOTE, TIMM, fold_patch_bias
from mmxclip.convert.openai_clip import OPENAI_CLIP
from mmxclip.convert.recognize import OURS, Source
from mmxclip.convert.report import ConversionError, ConversionReport
from mmxclip.convert.table import StateDict
from mmxclip.convert.xclip_official import XCLIP_OFFICIAL

TARGETS = {
    'official': XCLIP_OFFICIAL,
    'huggingface': HUGGINGFACE,
    'openai-clip': OPENAI_CLIP,
}
_QUICKGELU_NOTE = (
    'a file of open_clip must be a *-quickgelu model: the activation leaves no trace '
    'in the weights, and with GELU they give other features'
)
_HEADS_NOTE = (
    'the number of heads leaves no trace in the weights; a head of 64 channels is '
    'assumed, as in every CLIP. Where num_heads of your config differs, trust that'
)


def to_mmxclip(source: Source) -> tuple[StateDict, ConversionReport]:
    """Bring a recognised checkpoint under our names and check it.

    Args:
        source: Any kind. Our own is passed on; since it may be of a variant of the
            model, what a complete X-CLIP has more or less is only reported.

    Returns:
        Our state dict and the complete report.

    Raises:
        ConversionError: Tensors contain NaN or infinity or, in foreign checkpoints,
            are missing, unknown or of a wrong shape.
    """
    require_finite(source.state_dict)
    if source.table is None:
        report = ConversionReport(OURS, OURS)
        report.converted = [(name, name) for name in source.state_dict]
        geometry = measure(source.state_dict, source.heads)
        if geometry.arch is None and source.heads == Heads():
            report.notes.append(_HEADS_NOTE)
        complete = geometry.shapes()
        report.missing = [name for name in complete if name not in source.state_dict]
        report.unexpected = [name for name in source.state_dict if name not in complete]
        return source.state_dict, report
    tensors = source.state_dict
    if source.table in (TIMM, MMPRETRAIN):
        tensors = fold_patch_bias(tensors)
    result, report = source.table.to_ours(tensors)
    report.require_complete()
    geometry = measure(result)
    for name, shape in geometry.shapes().items():
        if name in result:
            _require_shape(name, result[name], shape)
        elif source.table.is_new(name):
            report.initialised.append(name)
        else:
            report.missing.append(name)
    report.unexpected += [name for name in result if name not in geometry.shapes()]
    if source.table in (TIMM, MMPRETRAIN):
        report.notes.append(NOTE)
    if source.table is OPENAI_CLIP and 'input_resolution' not in source.state_dict:
        report.notes.append(_QUICKGELU_NOTE)
    if source.config is not None:
        report.notes += compare_config(source.config, geometry)
    return result, report.require_complete()


def from_mmxclip(
    state_dict: Mapping[str, Tensor], target: str
) -> tuple[StateDict, ConversionReport]:
    """Bring our state dict under the names of another layout.

    Args:
        state_dict: All parameters of our recognizer.
        target: 'official', 'huggingface' or 'openai-clip' (the CLIP part).

    Raises:
        ConversionError: Tensors are missing or unknown.
        ValueError: The target is none of the above.
    """
    if target not in TARGETS:
        raise ValueError(f'target={target!r} must be one of {list(TARGETS)}')
    table = TARGETS[target]
    result, report = table.from_ours(state_dict)
    report.missing += [
        name
        for name in measure(state_dict).shapes()
        if name not in state_dict and not table.is_new(name)
    ]
    return result, report.require_complete()


def require_finite(state_dict: Mapping[str, Tensor]) -> None:
    """Raise ConversionError if a tensor contains NaN or infinity."""
    bad = [
        name
        for name, tensor in state_dict.items()
        if tensor.is_floating_point() and not torch.isfinite(tensor).all()
    ]
    if bad:
        raise ConversionError(
            f'{len(bad)} of {len(state_dict)} tensors contain NaN or infinity, first '
            f'{bad[0]}: the training diverged or the file is damaged.'
        )


def _require_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise ConversionError(
            f'{name} has the shape {tuple(tensor.shape)} where the rest of the '
            f'checkpoint needs {shape}: it is not a ViT of CLIP, or damaged.'
        )
