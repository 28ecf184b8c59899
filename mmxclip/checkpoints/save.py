"""Write weights: ours, or in another layout; whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.checkpoints.adapter_file import BASE, difference, open_whole
from mmxclip.checkpoints.clip_config import MODEL, stated
from mmxclip.checkpoints.formats import (
    CHECKSUM,
    OPEN_CLIP_CONFIG,
    Opened,
    digest,
    open_checkpoint,
)
from mmxclip.checkpoints.huggingface_config import make_config
from mmxclip.checkpoints.layouts import OPENAI_CLIP, TARGETS, StateDict, identify
from mmxclip.checkpoints.load import OURS, UNSAID, convert
from mmxclip.checkpoints.lora import merge_lora
from mmxclip.checkpoints.model_settings import (
    TEXT,
    Settings,
    build_parts,
    read_settings,
    say_sizes,
)
from mmxclip.checkpoints.report import CheckpointError, Report, some
from mmxclip.checkpoints.zoo import find
from mmxclip.utils.files import atomic

DTYPES = ('float32', 'float16', 'bfloat16')
# Without epoch and iteration, which belong to a training.
_KEPT_META = ('cfg', 'dataset_meta', 'calibration', MODEL)
_FOLDER_FILES = {'config.json', 'model.safetensors'}


def convert_file(
    src: str | os.PathLike,
    dst: str | os.PathLike,
    *,
    target: str = OURS,
    dtype: str | None = None,
    inference: bool = False,
    base: str | os.PathLike | None = None,
    force: bool = False,
    trust: bool = False,
) -> str:
    """Convert a checkpoint file.

    Args:
        src: What to open, see `open_checkpoint`.
        dst: The file to write; for 'huggingface' a folder.
        target: 'mmxclip' or one of `TARGETS`.
        dtype: One of `DTYPES` for all weights; default: as they are.
        inference: Of a training's checkpoint keep only weights, config, class names.
        base: Keep only what differs from this checkpoint, on which a training built:
            a file of the adapters alone, which needs it to be opened.
        force: Replace ``dst``, see `write`.
        trust: Run what a pickle asks for.

    Returns:
        What became of every tensor.
    """
    require_writable(dst, target, force=force)
    opened = open_whole(src, trust=trust)
    state_dict, report, settings = convert(opened)
    if UNSAID in report.notes:
        raise CheckpointError(f'{src}: {UNSAID}. Put its {OPEN_CLIP_CONFIG} beside it')
    sizes = say_sizes(settings, has_mit='neck.positional_embedding' in state_dict)
    said = [f'{src}: {report.source}, {sizes}', str(report)]
    if dtype:
        state_dict = _cast(state_dict, getattr(torch, dtype))
    extras = opened.extras
    if inference or base or report.source != OURS:
        extras = {'meta': kept_meta(opened, report)}
    if base:
        if target != OURS:
            raise ValueError(f'target={target!r} has no files of adapters alone')
        start = open_checkpoint(find(base))
        state_dict, needed = difference(state_dict, convert(start)[0], base, start)
        extras['meta'][BASE] = needed
        said.append(f'{len(state_dict)} tensors differ; they need {needed}')
    written = write(
        dst, state_dict, target, extras=extras, settings=settings, force=force
    )
    said += [str(written)] if target != OURS else []
    return '\n'.join([*said, f'wrote {dst}'])


def _cast(tensors: StateDict, dtype: torch.dtype) -> StateDict:
    return {n: t.to(dtype) if t.is_floating_point() else t for n, t in tensors.items()}


def kept_meta(opened: Opened, report: Report) -> dict[str, Any]:
    """Return what a checkpoint says of its model, nothing of its training.

    Args:
        opened: The checkpoint.
        report: The account of its conversion.
    """
    if report.source != OURS:
        there = stated(opened, identify(opened.state_dict))
        return {MODEL: there} if there else {}
    meta = opened.extras.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    return {key: meta[key] for key in _KEPT_META if key in meta}


def export(
    state_dict: Mapping[str, Tensor], target: str, settings: Settings | None = None
) -> tuple[StateDict, Report]:
    """Bring our state dict under the names of another layout.

    Args:
        state_dict: Parameters of a recognizer of ours, with new ones or without.
        target: 'official', 'huggingface', or 'openai-clip' (the CLIP part only).
        settings: Of the model. Default: what the tensors tell.

    Returns:
        The tensors, and the account. LoRAs become weights. Other parameters that the
        layout has no name for keep ours, and come back by them; a CLIP goes without
        them.

    Raises:
        CheckpointError: Parameters of a tower, or of a part that is begun, are missing;
            or the other code has another activation.
        ValueError: The target is none of the above.
    """
    if target not in TARGETS:
        raise ValueError(f'target={target!r} must be one of {list(TARGETS)}')
    layout = TARGETS[target]
    settings = settings or read_settings(state_dict)
    _require_quick_gelu(settings, target)
    state_dict = merge_lora(state_dict)
    renamed = layout.from_ours(state_dict)
    towers = {'backbone', 'cls_head.text_encoder'}
    begun = towers | {_slot(name) for name in state_dict if layout.can_name(name)}
    missing = [
        name
        for name, _ in build_parts(settings).named_parameters()
        if name not in state_dict and layout.can_name(name) and _slot(name) in begun
    ]
    if missing:
        raise CheckpointError(
            f'these weights cannot become {layout.name}: {len(missing)} tensors are '
            f'missing ({some(missing)})'
        )
    report = Report(OURS, layout.name, taken=len(renamed.tensors))
    if layout is OPENAI_CLIP:
        renamed.tensors |= _openai_numbers(settings)
    if layout.is_whole:
        report.unused = renamed.unknown
        renamed.tensors |= {name: state_dict[name] for name in renamed.unknown}
    else:
        report.dropped = dict.fromkeys(renamed.unknown, 'no part of CLIP')
    return renamed.tensors, report


def _openai_numbers(settings: Settings) -> StateDict:
    """Return the numbers by which OpenAI's files differ from open_clip's."""
    vision, text = settings['backbone']['arch'], settings[TEXT]['arch']
    numbers = dict(
        input_resolution=vision['img_size'],
        context_length=text['context_length'],
        vocab_size=text['vocab_size'],
    )
    return {name: torch.tensor(number) for name, number in numbers.items()}


def _require_quick_gelu(settings: Settings, target: str) -> None:
    """Refuse GELU where the code of the target has no setting for it."""
    arches = {place: part.get('arch', part) for place, part in settings.items()}
    others = [place for place, arch in arches.items() if 'activation' in arch]
    if others and target != 'huggingface':
        raise CheckpointError(
            f"target={target!r} has QuickGELU only, this model 'gelu' in "
            f'{" and ".join(others)}: the weights would give other features there'
        )


def _slot(name: str) -> str:
    """Return the part of a recognizer that a parameter belongs to."""
    return '.'.join(name.split('.')[: 2 if name.startswith('cls_head.') else 1])


def write(
    path: str | os.PathLike,
    state_dict: Mapping[str, Tensor],
    target: str = OURS,
    *,
    extras: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    force: bool = False,
) -> Report:
    """Write our weights, as MMEngine does or in another layout.

    Args:
        path: The file to write; for 'huggingface' a folder.
        state_dict: Parameters of a recognizer of ours.
        target: 'mmxclip' or one of `TARGETS`.
        extras: What else a checkpoint of ours holds, such as 'meta' and 'optimizer'.
        settings: Of the model. Default: what the tensors tell.
        force: Replace what is there: a file, or a folder with nothing but what a
            conversion to 'huggingface' writes.

    Returns:
        The account of the conversion.

    Raises:
        CheckpointError: Parameters are missing.
        OSError: There is no room, and nothing is left behind; or see
            `require_writable`.
    """
    report = Report(OURS, OURS, taken=len(state_dict))
    content: Any = {'meta': {}, **(extras or {}), 'state_dict': dict(state_dict)}
    if target != OURS:
        settings = settings or read_settings(state_dict)
        content, report = export(state_dict, target, settings)
    require_writable(path, target, force=force)
    with atomic(path) as place:
        if target == 'huggingface':
            config = make_config(settings or read_settings(state_dict))
            _save_folder(place, content, config)
        else:
            torch.save({'model': content} if target == 'official' else content, place)
    return report


def require_writable(path: str | os.PathLike, target: str, *, force: bool) -> None:
    """Raise unless `write` may write to this path.

    Raises:
        NotADirectoryError: A folder that it is to be in is a file.
        FileExistsError: There is something, and no ``force`` or more than it covers.
    """
    path, to_folder = Path(path), target == 'huggingface'
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise NotADirectoryError(f'cannot write {path}: {above} is a file, no folder')
    if not path.exists():
        return
    if path.is_dir() != to_folder:
        kind, wanted = ('file', 'folder') if to_folder else ('folder', 'file')
        raise FileExistsError(f'{path} is a {kind}; give a {wanted}')
    others = {f.name for f in path.iterdir()} - _FOLDER_FILES if to_folder else ()
    if others or not force:
        cure = (
            f' (--force does not replace {min(others)})' if others else ', or --force'
        )
        raise FileExistsError(f'{path} exists: give another name{cure}')


def _save_folder(folder: Path, tensors: StateDict, config: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415 (slow to import)

    folder.mkdir()
    # safetensors refuses views of one storage, which checkpoints may hold
    layout = torch.contiguous_format
    copies = {n: t.clone(memory_format=layout) for n, t in tensors.items()}
    metadata = {'format': 'pt', CHECKSUM: digest(copies)}
    save_file(copies, folder / 'model.safetensors', metadata=metadata)
    (folder / 'config.json').write_text(json.dumps(dict(config), indent=2) + '\n')
