"""What modules declare about their weights, and the check of what they load.

The parameters of a model are the only list of what a checkpoint must hold. Any module
may add, as a class attribute, which of its own no CLIP brings::

    fresh_parameters = ('adapter.*',)

These are shell patterns for names relative to the module; those of base classes count,
too. Fresh parameters keep their initialisation where a training starts from weights
without them, stay trainable under ``frozen='pretrained'`` and are what
``fresh_lr_mult`` of the optimizer refers to.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mmxclip.checkpoints.layouts import find_layout
from mmxclip.checkpoints.report import CheckpointError, Shape

Resize = Callable[[Tensor, Shape], Tensor]

LARGEST_WEIGHT = 1e6  # CLIP's largest is below 100; more is damage


class Untraced(NamedTuple):
    """Settings of a transformer of which its weights bear no trace.

    Attributes:
        num_heads: Attention heads.
        activation: Of its MLPs.
        is_said: Whether the user's config says the activation, or a default does.
    """

    num_heads: int
    activation: str
    is_said: bool


class PretrainedPart(nn.Module):
    """A part of a model that loads its weights wholly or not at all.

    MMEngine loads without strictness: what is missing or of another shape ends as a
    line in the log. A part refuses that instead, whoever loads it, and resizes its
    position embeddings. Only a model whose weights were initialised, as a training
    does first, may load without its fresh parameters or without a whole part.

    Attributes:
        slot: Where the part stands in a recognizer, such as 'neck.'.
        fresh_parameters: Patterns of the parameters that no CLIP brings.
        resized_parameters: How parameters are brought to another shape, by name.
        untraced: What a checkpoint's own config is compared with, if it has one.
    """

    slot: ClassVar[str] = ''
    fresh_parameters: ClassVar[Sequence[str]] = ()
    resized_parameters: ClassVar[Mapping[str, Resize]] = {}
    untraced: Untraced | None = None

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        complete = not getattr(self, 'is_init', False)
        try:
            fit_part(self, state_dict, prefix, complete=complete)
        except CheckpointError as error:
            # A part is shown its share only; the rest is unexpected by now.
            *_, unexpected_keys, _ = args
            if layout := find_layout({*state_dict, *unexpected_keys}):
                raise _under_other_names(layout.name) from error
            raise
        super()._load_from_state_dict(state_dict, prefix, *args)


def fresh_names(module: nn.Module) -> set[str]:
    """Return the names of all parameters that modules in ``module`` declare fresh."""
    return set(_fresh_groups(module))


def _fresh_groups(module: nn.Module) -> dict[str, tuple[str, str]]:
    """Map each fresh parameter to what declares it: the module's path and a pattern.

    Of several declarations, that of the innermost module and most derived class counts.
    """
    groups: dict[str, tuple[str, str]] = {}
    for path, child in module.named_modules():
        prefix = plain_name(f'{path}.') if path else ''
        patterns = [
            pattern
            for base in reversed(type(child).__mro__)
            for pattern in vars(base).get('fresh_parameters', ())
        ]
        names = [plain_name(name) for name, _ in child.named_parameters()]
        for pattern in patterns:
            fitting = (name for name in names if fnmatchcase(name, pattern))
            groups |= {prefix + name: (path, pattern) for name in fitting}
    return groups


def own_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of a module by name, without those of parts within it."""
    parts = tuple(
        f'{path}.'
        for path, child in module.named_modules()
        if child is not module and isinstance(child, PretrainedPart)
    )
    named = module.named_parameters(remove_duplicate=False)
    return {plain_name(name): p for name, p in named if not name.startswith(parts)}


def plain_name(name: str) -> str:
    """Return the name of a parameter without what sharding (FSDP) puts into it."""
    return name.replace('_fsdp_wrapped_module.', '')


def full_shape(parameter: nn.Parameter) -> Shape:
    """Return the shape of a parameter as a whole, also where it is sharded."""
    return getattr(parameter, 'full_shape', tuple(parameter.shape))


def fit_part(
    part: nn.Module,
    tensors: MutableMapping[str, Tensor],
    prefix: str,
    *,
    complete: bool,
) -> list[str]:
    """Check what a part is about to load, and resize what it declares resizable.

    Args:
        part: Any module; parts within it are left to themselves.
        tensors: What is loaded; resized tensors are replaced in place.
        prefix: What precedes the part's names in ``tensors``.
        complete: Whether every parameter must be there. If not, fresh ones may be
            absent, or all of them.

    Returns:
        list: Names of the parameters that keep their values.

    Raises:
        CheckpointError: The weights do not fit the part.
    """
    own = {name: full_shape(p) for name, p in own_parameters(part).items()}
    given = [name for name in own if prefix + name in tensors]
    fresh = _fresh_groups(part)
    absent = [name for name in own if name not in given]
    begun = {fresh.get(name) for name in given} | {None}  # to be there as a whole
    torn = [name for name in absent if given and fresh.get(name) in begun]
    if torn or (given and complete):
        _check_depth(part, tensors, prefix)
    if torn or (complete and absent):
        raise CheckpointError(
            f'the checkpoint lacks {len(torn or absent)} parameters of '
            f'{_place(part, prefix)}, first {prefix}{(torn or absent)[0]}: '
            + (
                'it is incomplete, or of another model. New parameters of your own '
                'must be named in fresh_parameters of their module'
                if torn
                else 'they would be random and the scores mean nothing, though a '
                'training may start from it. (mmxclip://FILE reads all published forms)'
            )
        )
    resizes = getattr(part, 'resized_parameters', {})
    for name in given:
        tensors[prefix + name] = _fitted(
            prefix + name, tensors[prefix + name], own[name], resizes.get(name), part
        )
    return absent


def _fitted(
    name: str, tensor: Tensor, shape: Shape, resize: Resize | None, part: nn.Module
) -> Tensor:
    check_values(name, tensor)
    found = tuple(tensor.shape)
    if found == shape:
        return tensor
    if resize and len(found) == len(shape) and found[-1] == shape[-1]:
        try:
            resized = resize(tensor, shape)
        except ValueError as error:
            raise CheckpointError(f'{name}: {error}') from error
        print_log(f'{name} is interpolated from {found} to {shape}', logger='current')
        return resized
    raise CheckpointError(
        f'{name} is {found} in the checkpoint and {shape} in the model: it was made '
        'for another architecture (tools/inspect_checkpoint.py says which). Change '
        f'arch or embed_dims of {type(part).__name__} in the config'
    )


def check_values(name: str, tensor: Tensor) -> None:
    """Raise CheckpointError unless a tensor holds numbers that weights may have."""
    if not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix('torch.')
        raise CheckpointError(f'{name} holds {kind} instead of floating-point weights')
    if tensor.is_meta or not tensor.numel():
        return
    low, high = torch.aminmax(tensor.detach())
    if not (low >= -LARGEST_WEIGHT and high <= LARGEST_WEIGHT):  # also if NaN
        raise CheckpointError(
            f'{name} contains NaN, infinity or weights beyond {LARGEST_WEIGHT:g}: the '
            'training diverged or the file is damaged'
        )


def _check_depth(part: nn.Module, names: Iterable[str], prefix: str) -> None:
    """Compare the numbers of layers, for a message that names the setting."""
    for child, layers in part.named_children():
        if not isinstance(layers, nn.ModuleList):
            continue
        start = f'{prefix}{child}.'
        rest = (name[len(start) :] for name in names if name.startswith(start))
        found = len({name.split('.')[0] for name in rest})
        if found == len(layers):
            continue
        if not found:
            raise CheckpointError(
                'the checkpoint is incomplete, or of another model: it has tensors of '
                f'{_place(part, prefix)}, but no layer {start[:-1]}'
            )
        setting = 'depth' if 'depth' in inspect.signature(type(part)).parameters else ''
        slot = plain_name(prefix) or getattr(part, 'slot', '')
        raise CheckpointError(
            f'the checkpoint has {found} layers in {start[:-1]}, the model '
            f'{len(layers)}. Change this line of the config: '
            f'model.{slot}{setting or "arch"} = {found if setting else "..."}'
        )


def _under_other_names(kind: str) -> CheckpointError:
    return CheckpointError(
        f'this is a checkpoint of {kind}, under its own names: the model would find '
        'nothing in it and stay random. Give an X-CLIP as mmxclip://FILE; a CLIP or an '
        'ImageNet ViT, which cannot name actions, to a training: as load_from, with '
        'ConvertCheckpointHook, or as init_cfg. Or convert it first: '
        'python tools/convert_checkpoint.py FILE OUT.pth'
    )


def _place(part: nn.Module, prefix: str) -> str:
    kind = type(part).__name__
    return f'{plain_name(prefix)[:-1]} ({kind})' if prefix else kind
