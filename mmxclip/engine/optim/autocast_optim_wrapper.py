"""Mixed precision where MMEngine's AmpOptimWrapper refuses to run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Autocast on whatever device the model is, CPU included, without loss scaling.

    bfloat16 has float32's range, so gradients need no scaler. Accumulation and
    clipping are those of MMEngine's ``OptimWrapper``.

    Args:
        dtype: Type of the matrix products, ``'bfloat16'``.
        **kwargs: Arguments of ``OptimWrapper``: optimizer, accumulative_counts,
            clip_grad.

    Raises:
        ValueError: If ``dtype`` is another one: float16 needs a gradient scaler.
    """

    def __init__(self, dtype: str = 'bfloat16', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if dtype != 'bfloat16':
            raise ValueError(
                f"dtype must be 'bfloat16', got {dtype!r}. For float16 use "
                'AmpOptimWrapper, which scales the gradients, on a GPU.'
            )

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        """Run the forward pass of ``model`` in autocast."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
