"""The one way of a checkpoint into a model.

file -> :func:`open_checkpoint` -> layout by coverage -> our names -> resized position
embeddings -> one verdict on every parameter of the model.
"""

import os
from collections.abc import Container, Iterator
from contextlib import contextmanager

from torch import nn

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.clip_config import Stated, stated
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.huggingface_config import compare_config
from mmxclip.checkpoints.layouts import (
    HUGGINGFACE,
    HUGGINGFACE_PAIR,
    Layout,
    StateDict,
    identify,
)
from mmxclip.checkpoints.model_settings import (
    Settings,
    build_parts,
    name_of_arch,
    read_settings,
)
from mmxclip.checkpoints.parts import (
    PretrainedPart,
    check_values,
    fit_part,
    fresh_names,
    own_parameters,
    plain_name,
)
from mmxclip.checkpoints.report import CheckpointError, Report, some
from mmxclip.checkpoints.untraced import check_untraced, compare_pixels, is_unsaid
from mmxclip.checkpoints.zoo import find

OURS = 'mmxclip'
UNSAID = (
    "nothing beside it tells its activation, of which weights bear no trace: 'gelu' of "
    "open_clip, 'quick_gelu' of its models called *-quickgelu and of OpenAI's"
)


def load(
    model: nn.Module, source: str | os.PathLike | Opened, *, complete: bool = True
) -> Report:
    """Load a checkpoint of any kind into a model.

    Args:
        model: A recognizer, or a part that knows its slot (`PretrainedPart`).
        source: A path, an address, the name of a CLIP, or what was opened.
        complete: Whether the model must find all its parameters, as for testing. If
            not, fresh ones and whole parts may keep their initialisation.

    Returns:
        The account of what became of every tensor.

    Raises:
        CheckpointError: It is damaged, of another model, or incomplete.
        OSError: It cannot be read or fetched.
    """
    opened = source if isinstance(source, Opened) else open_whole(find(source))
    tensors, report = fit(model, opened, complete=complete)
    model.load_state_dict(tensors, strict=False)
    return report


def fit(
    model: nn.Module, opened: Opened, *, complete: bool
) -> tuple[StateDict, Report]:
    """Bring the tensors of a checkpoint under a model's names, and judge them.

    Args:
        model: As for `load`. A model without a `PretrainedPart` is another code's:
            nothing is renamed for it, and what it lacks matters if ``complete`` only.
        opened: The checkpoint.
        complete: As for `load`.

    Returns:
        The state dict, in which the model's own values stand for what the checkpoint
        does not bring; and the report.

    Raises:
        CheckpointError: It does not fit.
    """
    report = Report(OURS, type(model).__name__)
    with _naming(opened):
        if any(isinstance(module, PretrainedPart) for module in model.modules()):
            slot = getattr(model, 'slot', '')
            names = {slot + plain_name(name) for name, _ in model.named_parameters()}
            tensors, layout = to_ours(opened, report, names)
            _check_function(model, opened, layout, tensors, report)
        elif complete:
            tensors, layout = dict(opened.state_dict), None
        else:
            return dict(opened.state_dict), report
        return _judge(model, tensors, layout, report, complete), report


def convert(opened: Opened) -> tuple[StateDict, Report, Settings]:
    """Bring a checkpoint under our names without a model, and check it.

    Returns:
        Our state dict, the account, and the settings of the model.

    Raises:
        CheckpointError: Tensors are damaged or, in foreign checkpoints, missing,
            unknown or of a wrong shape. Our own may be of a variant of the model: what
            a complete X-CLIP has more or less is only reported.
    """
    report = Report(OURS, OURS)
    with _naming(opened):
        tensors, layout = to_ours(opened, report)
        if layout is HUGGINGFACE_PAIR:
            raise CheckpointError(
                'this is a SigLIP, or another pair of Hugging Face, not an X-CLIP: '
                'give it to a config, as init_cfg of HFVisionTower and of the head'
            )
        said = stated(opened, layout)
        settings = read_settings(tensors, said)
        if is_unsaid(opened, layout, said):
            report.notes.append(UNSAID)
        model = build_parts(settings)
        if layout:
            given = tensors
            tensors = _judge(model, given, layout, report, complete=layout.is_whole)
            tensors |= {name: given[name] for name in report.unused}  # a user's own
            return tensors, report, settings
        whole = dict(model.named_parameters())
        for name, tensor in tensors.items():
            if name in whole or tensor.is_floating_point():
                check_values(name, tensor)
    report.taken = len(tensors)
    report.kept = [name for name in whole if name not in tensors]
    report.unused = [name for name in tensors if name not in whole]
    if not (name_of_arch(settings) or said):
        report.notes.append(
            'the number of heads leaves no trace in the weights; a head of 64 channels '
            'is assumed, as in every CLIP. Where num_heads of your config differs, '
            'trust that'
        )
    return tensors, report, settings


@contextmanager
def _naming(opened: Opened) -> Iterator[None]:
    """Say in errors which file they are about."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f'{opened.name}: {error}') from error


def to_ours(
    opened: Opened, report: Report, ours: Container[str] = ()
) -> tuple[StateDict, Layout | None]:
    """Rename a checkpoint's tensors, all of which must be known.

    Args:
        opened: The checkpoint.
        report: Takes what there is to say.
        ours: See `identify`.

    Raises:
        CheckpointError: Tensors are unknown, or do not fit together.
    """
    layout = identify(opened.state_dict, ours)
    if layout is None:
        return dict(opened.state_dict), None
    report.source = layout.name
    try:
        renamed = layout.to_ours(opened.state_dict)
    except RuntimeError as error:
        raise CheckpointError(
            f'tensors of this {layout.name} do not fit together ({error})'
        ) from error
    for what, wrong in (('unknown', renamed.unknown), ('missing', renamed.incomplete)):
        if wrong:
            raise CheckpointError(
                f'this {layout.name} checkpoint cannot become {OURS}: {len(wrong)} '
                f'tensors are {what} ({some(wrong)}). The file may be damaged or come '
                'from another model: tools/inspect_checkpoint.py says what it holds.'
            )
    report.dropped = renamed.dropped
    if layout.note:
        report.notes.append(layout.note)
    if opened.config is not None and layout is HUGGINGFACE:
        settings = read_settings(renamed.tensors, stated(opened, layout))
        report.notes += compare_config(opened.config, settings)
    return renamed.tensors, layout


def _check_function(
    model: nn.Module,
    opened: Opened,
    layout: Layout | None,
    tensors: StateDict,
    report: Report,
) -> None:
    """Refuse weights of another function than the model's; see `check_untraced`."""
    said: Stated = {}
    try:
        said = stated(opened, layout)
    except CheckpointError:
        if layout:
            raise  # of a tower that is none of ours; ours may be more than settings
    slot = getattr(model, 'slot', '')
    parts = (((slot + prefix).rstrip('.'), part) for prefix, part in _parts(model))
    check_untraced(
        ((p, part) for p, part in parts if any(n.startswith(f'{p}.') for n in tensors)),
        said,
        unsaid=is_unsaid(opened, layout, said),
    )
    report.notes += compare_pixels(model, said)


def _judge(
    model: nn.Module,
    tensors: StateDict,
    layout: Layout | None,
    report: Report,
    complete: bool,
) -> StateDict:
    """Return what the model gets of tensors under our names; see `fit`."""
    slot = getattr(model, 'slot', '')
    tensors = {n[len(slot) :]: t for n, t in tensors.items() if n.startswith(slot)}
    parameters = {plain_name(n): p.detach() for n, p in model.named_parameters()}
    if layout and layout.is_start:
        brought = {n for n in parameters if layout.can_name(slot + n)}
        started = parameters.keys() - brought - fresh_names(model)
        report.kept += [slot + n for n in parameters if n in started]
        tensors |= {n: parameters[n] for n in started}
    for prefix, part in _parts(model):
        absent = fit_part(part, tensors, prefix, complete=complete)
        report.kept += [slot + prefix + name for name in absent]
    if layout:
        report.unused = [slot + name for name in tensors if name not in parameters]
        tensors = {n: t for n, t in tensors.items() if n in parameters}
    tensors = {n: t for n, t in tensors.items() if not t.is_meta}
    report.taken = len(tensors)
    if any(hasattr(p, 'full_shape') for p in model.parameters()):
        return tensors  # a sharded model has no whole values of its own
    return {n: p for n, p in parameters.items() if not p.is_meta} | tensors


def _parts(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield what is judged by itself: parts, and what children have beside them."""
    whole = isinstance(model, PretrainedPart) or bool(model._parameters)
    for path, module in model.named_modules():
        is_child = '.' not in path and bool(path) != whole and own_parameters(module)
        if isinstance(module, PretrainedPart) or is_child:
            yield plain_name(f'{path}.') if path else '', module
