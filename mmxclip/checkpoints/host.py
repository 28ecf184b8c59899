"""All that MMEngine is told about checkpoints, by the means that it documents for it.

* The scheme ``mmxclip://``: whatever loads by an address (``load_from``,
  ``init_recognizer``, ``Pretrained``) reads any published form behind it, as in
  ``mmxclip://FOLDER`` or ``mmxclip://ViT-B/16``. Other addresses load as ever.
* `ConvertCheckpointHook`, which puts the scheme before ``load_from`` and fits what it
  gives to the model.
* `CLIPPretrained`, for ``init_cfg``.
"""

import os
from collections.abc import Mapping
from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import BaseLoop, Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.clip_config import MODEL, stated
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import identify
from mmxclip.checkpoints.load import OURS, fit, load, to_ours
from mmxclip.checkpoints.report import CheckpointError, Report
from mmxclip.checkpoints.zoo import HUB, SCHEME, find


@CheckpointLoader.register_scheme([SCHEME, f'{HUB}microsoft/xclip-'])
def load_from_mmxclip(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Read ``mmxclip://`` and a path, an address or the name of a CLIP for MMEngine.

    The addresses of the released X-CLIPs on the Hub do without ``mmxclip://``.

    Args:
        filename: The address.
        map_location: As in ``torch.load``.

    Returns:
        dict: What the file holds, with 'state_dict' and 'meta'. An X-CLIP's tensors
        have our names, others their own: other models load CLIPs in their own ways.

    Raises:
        OSError: It cannot be read or fetched.
        CheckpointError: It is damaged, unsafe or incomplete.
    """
    opened = open_whole(find(filename), map_location=map_location or 'cpu')
    extras = dict(opened.extras)
    state_dict, report = opened.state_dict, Report(OURS, OURS)
    try:
        layout = identify(state_dict)
    except CheckpointError:
        layout = None  # of another model
    if layout and layout.is_whole:
        state_dict, _ = to_ours(opened, report)
        report.taken = len(state_dict)
        _tell(report)
    if layout and opened.config is not None:
        extras['meta'] = {MODEL: stated(opened, layout)}
    return {'meta': {}, **extras, 'state_dict': state_dict}


@HOOKS.register_module()
class ConvertCheckpointHook(Hook):
    """Let ``load_from`` take every published checkpoint, and refuse other models.

    Which parameters a model needs is known only when it is there, hence a hook.
    Checkpoints of models without a `PretrainedPart` are not converted. To be tested,
    any model must find all its parameters in the checkpoint; training may start
    without. To be resumed, a training must have stored its state there.
    """

    priority = 'VERY_HIGH'  # before EMAHook, which reads the state dict

    def before_run(self, runner: Runner) -> None:
        """Let ``load_from`` be read by the scheme ``mmxclip://``."""
        runner._load_from = address(runner._load_from)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace a foreign checkpoint by its conversion, in place.

        Raises:
            CheckpointError: It is of another model, not complete, or without the
                state of a training that is to be resumed.
        """
        if runner._resume and not runner._has_loaded:  # not what is loaded later
            _require_training_state(checkpoint)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        name = (runner._load_from or 'the checkpoint').removeprefix(SCHEME)
        opened = Opened.of(checkpoint, name=name)
        checkpoint['state_dict'], report = fit(
            model, opened, complete=_only_tests(runner)
        )
        _tell(report)


@WEIGHT_INITIALIZERS.register_module()
class CLIPPretrained:
    """Initialise a part of the model from a pretrained checkpoint.

    Give it to the backbone and to the head; each takes its share: the vision tower;
    the text tower and the logit scale. Parameters that the checkpoint does not bring
    (of OpenAI CLIP: messages, MIT and prompt) keep their own initialisation.

    Args:
        checkpoint: A name of OpenAI's ('ViT-B/32', 'ViT-B/16', 'ViT-L/14',
            'ViT-L/14@336px') or of the Hub ('hf-hub:OWNER/NAME'), a path, or a URL. Any
            kind of file that ``load_from`` takes.
        sha256: Checksum of a URL's file; known for the names.

    Examples:
        >>> backbone = dict(
        ...     type='XCLIPViT',
        ...     arch='b/32',
        ...     init_cfg=dict(type='CLIPPretrained', checkpoint='ViT-B/32'))
    """

    def __init__(
        self, checkpoint: str | os.PathLike, sha256: str | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.sha256 = sha256

    def __call__(self, module: nn.Module) -> None:
        """Load the module's share of the checkpoint."""
        # MMEngine's notes of one initialisation of a whole model, which it drops in
        # the end: until then, all parts share what was opened.
        notes = getattr(module, '_params_init_info', {})
        key = f'CLIPPretrained: {self.checkpoint}'
        opened = notes.get(key) or open_whole(find(self.checkpoint, self.sha256))
        report = load(module, opened, complete=False)
        if not report.taken:
            raise CheckpointError(
                f'{self.checkpoint} ({report.source}) has nothing for '
                f'{type(module).__name__}. Remove its init_cfg.'
            )
        _tell(report)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=key)
            notes[key] = opened


def address(checkpoint: str | None) -> str | None:
    """Return the address by which MMEngine reads a path or http(s) address through us.

    Args:
        checkpoint: Other addresses are left to MMEngine.
    """
    if checkpoint is None:
        return None
    scheme, colon, _ = str(checkpoint).partition('://')
    ours = not colon or scheme in ('http', 'https')
    return f'{SCHEME}{checkpoint}' if ours else checkpoint


def _tell(report: Report) -> None:
    if report.source != OURS or report.kept:
        print_log(str(report), logger='current')


def _require_training_state(checkpoint: Mapping[str, Any]) -> None:
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping) or 'epoch' not in meta:
        raise CheckpointError(
            'the checkpoint holds weights only, without the state of a training: one '
            'can start from it, but not resume. Leave out --resume, and resume in the '
            'config, and give the file as load_from.'
        )


def _only_tests(runner: Runner) -> bool:
    # train(), val() and test() build their loops before they load a checkpoint.
    tests = isinstance(runner._test_loop, BaseLoop)
    tests |= isinstance(runner._val_loop, BaseLoop)
    return tests and not isinstance(runner._train_loop, BaseLoop)
