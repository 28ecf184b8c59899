"""CLIP's MLP.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (ResidualAttentionBlock)
"""

from torch import Tensor, nn

from mmxclip.layers.activation import QuickGELU
from mmxclip.layers.fast_paths import can_fuse, fused_mlp


class MLP(nn.Module):
    """Two linear layers around QuickGELU, four times wider inside.

    Args:
        embed_dims: Width D of input and output.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(embed_dims, 4 * embed_dims)
        self.gelu = QuickGELU()
        self.c_proj = nn.Linear(4 * embed_dims, embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) -> (..., D)."""
        if can_fuse(self.c_fc, self.gelu, self.c_proj):
            return fused_mlp(x, self.c_fc, self.c_proj)
        return self.c_proj(self.gelu(self.c_fc(x)))
