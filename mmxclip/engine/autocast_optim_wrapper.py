"""Mixed precision on any device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """bfloat16 autocast, which needs no loss scaling.

    Unlike ``AmpOptimWrapper`` it also runs on a CPU.

    Args:
        dtype: Type of matrix products: ``'bfloat16'``. float16 would need a loss
            scale: use ``AmpOptimWrapper`` for it.
        **kwargs: Arguments of ``OptimWrapper``.

    Raises:
        ValueError: ``dtype`` is something else.
    """

    def __init__(self, dtype: str = 'bfloat16', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if dtype != 'bfloat16':
            raise ValueError(
                f"AutocastOptimWrapper takes dtype='bfloat16', got {dtype!r}; for "
                'float16 use AmpOptimWrapper, which scales the loss.'
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass of a step in bfloat16."""
        device = next(model.parameters()).device.type
        with (
            super().optim_context(model),
            torch.autocast(device, dtype=torch.bfloat16),
        ):
            yield
