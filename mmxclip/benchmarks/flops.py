"""Multiply-adds of a model, attention products included."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def count_multiply_adds(function: Callable[..., Any], *args: Any) -> int:
    """Run a function once and count its multiply-adds.

    Counted are matrix products and convolutions, the products of attention among
    them, however it is computed; not norms, activations, sums. One multiply-add is
    what papers call a FLOP. On tensors of the 'meta' device nothing is computed.

    Args:
        function: What to count, e.g. a module in evaluation mode.
        *args: Its arguments.

    Returns:
        Number of multiply-adds.
    """
    counter = FlopCounterMode(display=False)
    # Fused attention has no count of its own on every device, nor has the fast path
    # of nn.MultiheadAttention on any.
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            function(*args)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
    return counter.get_total_flops() // 2
