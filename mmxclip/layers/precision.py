"""Products that autocast leaves alone."""

from contextlib import AbstractContextManager, nullcontext

import torch


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Return a context in which autocast is off."""
    # Exported graphs hold no context that changes nothing; 'meta' knows no autocast.
    if device.type == 'meta' or not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
