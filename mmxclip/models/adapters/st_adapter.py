"""Spatio-temporal adapter."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.layers import Adapter
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class STAdapter(Adapter):
    """A depth-wise convolution over time and space: ``W_up DWConv3D(W_down x)``.

    It sits before a block and moves its patch tokens. ``W_up`` starts at zero.

    Args:
        embed_dims: Width D of the tokens.
        hidden_dims: Channels of the convolution.
        kernel_size: Of the convolution in frames, rows and columns of patches, odd.

    Raises:
        ValueError: ``hidden_dims`` is below 1, or a kernel is not odd.

    References:
        Pan et al., "ST-Adapter: Parameter-Efficient Image-to-Video Transfer Learning",
        NeurIPS 2022 (https://arxiv.org/abs/2206.13559), section 3
    """

    place = 'before'

    def __init__(
        self,
        embed_dims: int,
        hidden_dims: int = 384,
        kernel_size: Sequence[int] = (3, 1, 1),
    ) -> None:
        super().__init__()
        check_count('hidden_dims', hidden_dims)
        if len(kernel_size) != 3 or not all(size % 2 == 1 for size in kernel_size):
            raise ValueError(
                f'kernel_size must be three odd numbers, got {kernel_size!r}.'
            )
        self.down = nn.Linear(embed_dims, hidden_dims)
        self.conv = nn.Conv3d(
            hidden_dims,
            hidden_dims,
            tuple(kernel_size),
            padding='same',
            groups=hidden_dims,
        )
        self.up = nn.Linear(hidden_dims, embed_dims)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map the tokens of all frames (N, T, 1 + L, D) -> (N, T, 1 + L, D)."""
        side = math.isqrt(x.shape[2] - 1)
        hidden = self.down(x[:, :, 1:]).unflatten(2, (side, side))  # (N, T, h, w, C)
        hidden = self.conv(hidden.permute(0, 4, 1, 2, 3))  # (N, C, T, h, w)
        moved = self.up(hidden.permute(0, 2, 3, 4, 1).flatten(2, 3))
        return F.pad(moved, (0, 0, 1, 0))  # the class token stays
