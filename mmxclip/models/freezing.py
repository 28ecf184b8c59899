"""Freezing parameters."""

from collections.abc import Sequence

from torch import nn


def freeze(module: nn.Module, *, keep: Sequence[str] = ()) -> None:
    """Stop gradients of all parameters of ``module`` in place.

    Args:
        module: What to freeze.
        keep: Parameters whose name contains one of these strings stay trainable.
    """
    for name, parameter in module.named_parameters():
        if not any(part in name for part in keep):
            parameter.requires_grad_(False)
