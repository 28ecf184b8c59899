"""Projection of square patches as one matrix product.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (VisionTransformer.conv1)
"""

import torch.nn.functional as F
from torch import Tensor, nn


class PatchConv(nn.Conv2d):
    """CLIP's first convolution, whose stride is its kernel size.

    No pixel is seen twice, so it is a linear layer on patches: one copy of the video
    and one product, for any layout of the result. Convolutions need more copies, and
    their backward pass in bfloat16 is slow on CPUs.

    Args:
        embed_dims: Width D of the tokens.
        patch_size: Side p of a patch in pixels.
    """

    def __init__(self, embed_dims: int, patch_size: int) -> None:
        super().__init__(3, embed_dims, patch_size, stride=patch_size, bias=False)

    def forward(self, video: Tensor) -> Tensor:
        """Map frames (N, 3, T, H, W) -> tokens (N * T, L, D), L row by row."""
        size = self.kernel_size[0]
        patches = video.unflatten(4, (-1, size)).unflatten(3, (-1, size))
        patches = patches.permute(0, 2, 3, 5, 1, 4, 6)  # (N, T, h, w, 3, p, p)
        patches = patches.flatten(4).flatten(2, 3).flatten(0, 1)
        return F.linear(patches, self.weight.flatten(1))
