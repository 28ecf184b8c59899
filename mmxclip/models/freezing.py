"""Freezing parameters."""

from typing import Literal

from torch import nn

from mmxclip.checkpoints.parts import fresh_names

Frozen = Literal[False, True, 'pretrained']  # of a backbone


def freeze(module: nn.Module, *, keep_fresh: bool = False) -> None:
    """Stop gradients of all parameters of ``module`` in place.

    Args:
        module: What to freeze.
        keep_fresh: Whether parameters that no CLIP brings stay trainable, see
            ``fresh_parameters``.
    """
    kept = fresh_names(module) if keep_fresh else set()
    for name, parameter in module.named_parameters():
        if name not in kept:
            parameter.requires_grad_(False)
