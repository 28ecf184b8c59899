"""Load any published kind of checkpoint through MMEngine's own ways.

Importing this module, and thereby ``mmxclip``, replaces MMEngine's loaders of local
files and of http(s) addresses for the whole process. Files of other models load as
ever, except that nothing in them is executed and that what is downloaded is checked.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from mmengine.runner.checkpoint import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local as host_load_from_local
from torch import nn

from mmxclip.checkpoints import PretrainedPart, full_shape
from mmxclip.checkpoints.parts import fit_part
from mmxclip.convert import (
    HUGGINGFACE,
    MMPRETRAIN,
    OURS,
    TIMM,
    XCLIP_OFFICIAL,
    ConversionError,
    ConversionReport,
    Opened,
    Source,
    StateDict,
    has_our_backbone,
    naming_full_memory,
    read_checkpoint,
    recognize,
    to_mmxclip,
)
from mmxclip.convert.report import Shape
from mmxclip.engine.download import download

# A parameter of each part that loads on its own, and where it stands in a recognizer.
_PARTS = {
    'backbone.class_embedding': '',
    'class_embedding': 'backbone.',
    'text_encoder.token_embedding.weight': 'cls_head.',
    'token_embedding.weight': 'cls_head.text_encoder.',
    'context_proj': 'cls_head.prompt.',
}


def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Read a local checkpoint for MMEngine, of any published form.

    It stands in for MMEngine's loader of local files, and reads archives, safetensors
    and folders too. Any X-CLIP is converted; CLIPs and ViTs keep their names, since
    other models load them in their own ways.

    Args:
        filename: The file, or a Hugging Face folder.
        map_location: As in ``torch.load``.

    Raises:
        FileNotFoundError: There is no such file.
        ConversionError: It is damaged, unsafe or incomplete.
        MemoryError: It does not fit into memory.
    """
    try:
        with naming_full_memory(filename):
            checkpoint = host_load_from_local(filename, map_location)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception:  # torch.load raises anything on what is no pickle of its own
        opened = read_checkpoint(filename, map_location=map_location or 'cpu')
        source = recognize(opened)
        if source.table in (None, XCLIP_OFFICIAL, HUGGINGFACE):
            return convert(source)
        return dict(opened.content)
    return _convert_xclip(checkpoint)


def load_from_http(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Download a checkpoint once and read it as `load_from_local` does.

    MMEngine's loader, which this replaces, runs the programs in a pickle.

    Args:
        filename: The address.
        map_location: As in ``torch.load``.

    Raises:
        DownloadError: It cannot be fetched, or is no checkpoint.
        ConversionError: It is damaged, unsafe or incomplete.
    """
    return load_from_local(str(download(filename)), map_location)


CheckpointLoader.register_scheme('', load_from_local, force=True)
CheckpointLoader.register_scheme(('http://', 'https://'), load_from_http, force=True)


@HOOKS.register_module()
class ConvertCheckpointHook(Hook):
    """Let ``load_from`` take CLIPs and ImageNet ViTs, and refuse other models.

    Which parameters a model needs is known only when it is there, hence a hook.
    Checkpoints of models without our backbone are not converted. To be tested, any
    model must find all its parameters in the checkpoint; training may start without.
    To be resumed, a training must have stored its state there.
    """

    priority = 'VERY_HIGH'  # before EMAHook, which reads the state dict

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace a foreign checkpoint by its conversion, in place.

        Raises:
            ConversionError: It is of another model, not complete, or without the
                state of a training that is to be resumed.
        """
        if runner._resume and not runner._has_loaded:  # not what is loaded later
            _require_training_state(checkpoint)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        fit_checkpoint(model, checkpoint, complete=_only_tests(runner))


def fit_checkpoint(
    model: nn.Module, checkpoint: dict[str, Any], *, complete: bool
) -> None:
    """Make a checkpoint of any kind one of this model, in place.

    Args:
        model: A recognizer; one without our backbone is not converted for.
        checkpoint: What MMEngine's loader returns.
        complete: Whether it must have all parameters of the model.

    Raises:
        ConversionError: It is of another model, or not complete.
    """
    if has_our_backbone(_shapes(model)):
        _convert_for(model, checkpoint)
    if complete:
        _require_all(model, checkpoint)
    elif has_our_backbone(_shapes(model)):
        tensors = checkpoint['state_dict']
        for path, part in model.named_modules():
            if isinstance(part, PretrainedPart):
                fit_part(part, tensors, f'{path}.', complete=False)
        if not any(hasattr(p, 'full_shape') for p in model.parameters()):
            own = {n: p.detach() for n, p in model.named_parameters()}
            checkpoint['state_dict'] = {**own, **tensors}


def _convert_for(model: nn.Module, checkpoint: dict[str, Any]) -> None:
    source = recognize(Opened(checkpoint, 'checkpoint'))
    if source.kind == OURS:
        checkpoint['state_dict'] = source.state_dict  # out of wrappers
        return
    state_dict, report = to_mmxclip(source)
    share = share_of(model, state_dict, report)
    print_log(str(report), logger='current')
    checkpoint.clear()
    if source.table in (TIMM, MMPRETRAIN):
        own = {n: p.detach() for n, p in model.named_parameters()}
        share = {**{n: own[n] for n in report.initialised}, **share}
    checkpoint.update(state_dict=share, meta={})


def _require_training_state(checkpoint: Mapping[str, Any]) -> None:
    if 'epoch' not in (checkpoint.get('meta') or {}):
        raise ConversionError(
            'the checkpoint holds weights only, without the state of a training: one '
            'can start from it, but not resume. Leave out --resume, and resume in the '
            'config, and give the file as load_from.'
        )


def _only_tests(runner: Runner) -> bool:
    # train(), val() and test() build their loops before they load a checkpoint.
    tests = isinstance(runner._test_loop, BaseLoop)
    tests |= isinstance(runner._val_loop, BaseLoop)
    return tests and not isinstance(runner._train_loop, BaseLoop)


def _require_all(model: nn.Module, checkpoint: Mapping[str, Any]) -> None:
    """Raise ConversionError if a parameter of the model would stay random."""
    tensors = checkpoint.get('state_dict', checkpoint)
    found = {name.removeprefix('module.'): tensor for name, tensor in tensors.items()}
    lacking = [
        name
        for name, shape in _shapes(model).items()
        if name not in found
        # Our models interpolate these.
        or not (name.endswith('positional_embedding') or found[name].shape == shape)
    ]
    if lacking:
        raise ConversionError(
            f'the checkpoint lacks {len(lacking)} parameters of the model, or has them '
            f'in another shape, first {lacking[0]}: they would be random and the '
            'scores mean nothing. Test the checkpoint of a training, or a config that '
            'has what this one has; training may start from this one.'
        )


def _shapes(module: nn.Module) -> dict[str, Shape]:
    # Not by state_dict(), which would gather a sharded model.
    return {
        name.replace('_fsdp_wrapped_module.', ''): full_shape(parameter)
        for name, parameter in module.named_parameters()
    }


def convert(source: Source) -> dict[str, Any]:
    """Return a recognised checkpoint as MMEngine expects it, and log the report."""
    if source.kind == OURS:
        return {'state_dict': source.state_dict, 'meta': {}}
    state_dict, report = to_mmxclip(source)
    print_log(str(report), logger='current')
    return {'state_dict': state_dict, 'meta': {}}


def _convert_xclip(checkpoint: Any) -> Any:
    if not isinstance(checkpoint, Mapping):
        return checkpoint
    try:
        source = recognize(Opened(checkpoint, 'checkpoint'))
    except ConversionError:
        return checkpoint  # of another model
    if source.table in (XCLIP_OFFICIAL, HUGGINGFACE):
        return convert(source)
    if source.kind == OURS:  # out of wrappers that MMEngine does not know
        return {**checkpoint, 'state_dict': source.state_dict}
    return checkpoint


def place_of(module: nn.Module) -> str:
    """Return the prefix of a module's parameters in a recognizer."""
    own = _shapes(module)
    return next((where for name, where in _PARTS.items() if name in own), '')


def share_of(
    module: nn.Module, state_dict: StateDict, report: ConversionReport
) -> StateDict:
    """Return the tensors that are meant for a module, and narrow the report to it.

    Args:
        module: The recognizer or one of its parts.
        state_dict: Tensors under our names.
        report: The account of their conversion; changed in place.

    Returns:
        Tensors under the module's own names: of parameters that it has, be it in
        fewer layers, so that the module can refuse a different number of layers.
    """
    own, prefix = _shapes(module), place_of(module)
    kinds = {_any_layer(name) for name in own}
    share, unused = {}, []
    for name, tensor in state_dict.items():
        inner = name.removeprefix(prefix)
        if name.startswith(prefix) and _any_layer(inner) in kinds:
            share[inner] = tensor
        else:
            unused.append(name)
    if unused:
        report.notes.append(
            f'{len(unused)} converted tensors have no place in '
            f'{type(module).__name__}, first {unused[0]}'
        )
    lacking = [prefix + name for name in own if name not in share]
    report.missing = [name for name in lacking if name in report.missing]
    report.initialised = [name for name in lacking if name not in report.missing]
    report.reshaped = [
        (prefix + name, tuple(tensor.shape), own[name])
        for name, tensor in share.items()
        if name in own and tensor.shape != own[name]
    ]
    return share


def _any_layer(name: str) -> str:
    return re.sub(r'\.\d+\.', '.N.', name)
