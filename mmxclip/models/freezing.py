"""Freezing parameters."""

from typing import Literal

from torch import nn

from mmxclip.checkpoints.parts import fresh_names
from mmxclip.utils.checks import check_choice

Frozen = Literal[False, True, 'pretrained']


def freeze(module: nn.Module, frozen: Frozen = True) -> None:
    """Stop gradients of parameters of ``module`` in place.

    Args:
        module: What to freeze.
        frozen: ``True`` for all parameters, ``'pretrained'`` for those that a CLIP
            brings (see ``fresh_parameters``), ``False`` for none.

    Raises:
        ValueError: ``frozen`` is none of these.
    """
    check_choice('frozen', frozen, Frozen)
    kept = fresh_names(module) if frozen == 'pretrained' else set()
    for name, parameter in module.named_parameters():
        if frozen and name not in kept:
            parameter.requires_grad_(False)
