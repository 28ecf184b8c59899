"""What a checkpoint is, in words."""

import os
from pathlib import Path
from typing import Any

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.clip_config import Stated, stated
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import HUGGINGFACE_PAIR, identify
from mmxclip.checkpoints.load import OURS, UNSAID, convert
from mmxclip.checkpoints.model_settings import TEXT, name_of_arch, say_sizes
from mmxclip.checkpoints.report import some
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS, Arch


def describe(path: str | os.PathLike, *, trust: bool = False) -> str:
    """Describe a checkpoint, and the config that it needs, in a few lines.

    Args:
        path: File or Hugging Face folder.
        trust: Open pickles that may run code.
    """
    opened = open_whole(path, trust=trust)
    layout = identify(opened.state_dict)
    said = stated(opened, layout)
    if layout is HUGGINGFACE_PAIR:
        return _describe_pair(opened, said)
    if layout is None and 'backbone.conv1.weight' not in opened.state_dict:
        return _describe_other(opened, said)
    tensors, report, settings = convert(opened)
    activation = settings['backbone']['arch'].get('activation', 'quick_gelu')
    has_mit = 'neck.positional_embedding' in tensors
    lines = [
        f'{path} is a checkpoint of {report.source} ({opened.form}).',
        f'Model: {say_sizes(settings, has_mit=has_mit)}.',
        f'Activation: {"not said" if UNSAID in report.notes else activation}.',
        _say_weights(opened),
    ]
    if opened.extras:
        lines.append(f'It also holds: {", ".join(opened.extras)}.')
    if report.kept:
        lines.append(
            f'It lacks {len(report.kept)} parameters of X-CLIP, which start from their '
            'initialisation.'
        )
    if report.unused:
        lines.append(f'X-CLIP has no place for {some(report.unused)}.')
    lines += [f'Mind: {note}.' for note in report.notes]
    where = 'load_from' if has_mit else 'init_cfg or load_from'
    lines.append(f'In a config, to load it by {where}:')
    if arch := name_of_arch(settings):
        settings['backbone'] = _named(arch, settings['backbone']['arch'], VISION_ARCHS)
        settings[TEXT] = _named(arch, settings[TEXT]['arch'], TEXT_ARCHS)
    if report.source != OURS:
        lines += _say_pixels(said)
    for part, values in settings.items():
        if has_mit or 'arch' in values:
            lines += [f'  model.{part}.{key} = {v!r}' for key, v in values.items()]
    return '\n'.join(lines)


def _describe_pair(opened: Opened, said: Stated) -> str:
    config = dict(opened.config or {})
    path = Path(opened.name)
    folder = str(path if path.is_dir() else path.parent)
    source = folder if opened.config else 'its folder, with config.json'
    vision = dict(type='HFVisionTower', source=source)
    text = dict(type='HFTextEncoder', source=source)
    towers = (config.get('vision_config') or {}, config.get('text_config') or {})
    activations = {tower['hidden_act'] for tower in towers if 'hidden_act' in tower}
    kind = config.get('model_type', 'no config beside it')
    return '\n'.join(
        [
            f'{opened.name} is a checkpoint of a {HUGGINGFACE_PAIR.name}, {kind} '
            f'({opened.form}).',
            'Activation: '
            + (', '.join(sorted(activations)) or f'that of {kind} in transformers')
            + '.',
            _say_weights(opened),
            'In a config, with init_cfg as for a CLIP:',
            "  model.backbone.type = 'FrameEncoder'",
            f'  model.backbone.backbone = {vision}',
            f'  model.cls_head.text_encoder = {text}',
            *_say_pixels(said),
        ]
    )


def _describe_other(opened: Opened, said: Stated) -> str:
    """Describe a model of ours whose frames another backbone than XCLIPViT sees."""
    head = said.get('cls_head') or {}
    parts = (said.get('backbone'), head.get('text_encoder'))
    towers = ', '.join(_say_type(part) for part in parts if part)
    return '\n'.join(
        [
            f'{opened.name} is a checkpoint of {OURS} ({opened.form}).',
            f'Towers: {towers or "not said, and not those of a CLIP"}.',
            _say_weights(opened),
            'It is used with the config that it was trained with.',
        ]
    )


def _say_type(part: Stated) -> str:
    inner = part.get('backbone')
    return part['type'] + (f' of {_say_type(inner)}' if inner else '')


def _say_weights(opened: Opened) -> str:
    tensors = opened.state_dict.values()
    dtypes = sorted({str(t.dtype).removeprefix('torch.') for t in tensors})
    millions = sum(tensor.numel() for tensor in tensors) / 1e6
    return (
        f'Weights: {len(tensors)} tensors, {millions:.1f} M parameters, '
        f'{" and ".join(dtypes)}.'
    )


def _say_pixels(said: Stated) -> list[str]:
    pixels = said.get('data_preprocessor', {})
    return [f'  model.data_preprocessor.{key} = {pixels[key]}' for key in pixels]


def _named(arch: str, sizes: Arch, zoo: dict[str, Arch]) -> dict[str, Any]:
    """Return the arguments of a tower of a named architecture."""
    usual = {'activation': 'quick_gelu'}
    has, named = usual | sizes, usual | zoo[arch]
    keys = ('img_size', 'activation')
    return dict(arch=arch) | {k: has[k] for k in keys if has.get(k) != named.get(k)}
