"""Activations of CLIP and of its successors.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (QuickGELU)
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn


class QuickGELU(nn.Module):
    """CLIP's approximation of GELU: ``x * sigmoid(1.702 * x)``.

    Written through SiLU, which is one fused kernel and keeps one tensor for the
    backward pass instead of two.
    """

    scale = 1.702

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to a tensor of any shape."""
        return F.silu(self.scale * x) / self.scale


Activation = Literal['quick_gelu', 'gelu']
ACTIVATIONS: dict[str, type[nn.Module]] = {'quick_gelu': QuickGELU, 'gelu': nn.GELU}
