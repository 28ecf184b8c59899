"""Autocast and the devices that do not know it."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """Return the type that autocast gives products with ``x``, or None for its own."""
    kind = x.device.type
    if kind == 'meta' or not torch.is_autocast_enabled(kind):
        return None
    return None if x.dtype == torch.float64 else torch.get_autocast_dtype(kind)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Return a context in which autocast is off."""
    if device.type == 'meta':
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
