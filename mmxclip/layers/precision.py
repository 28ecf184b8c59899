"""Autocast and the devices that do not know it."""

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """Return the type that autocast gives matrix products, or None where it is off."""
    if device.type == 'meta' or not torch.is_autocast_enabled(device.type):
        return None
    return torch.get_autocast_dtype(device.type)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Return a context in which autocast is off."""
    if device.type == 'meta':
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
