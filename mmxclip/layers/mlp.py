"""CLIP's MLP.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (ResidualAttentionBlock)
"""

from torch import Tensor, nn

from mmxclip.layers.activation import ACTIVATIONS, Activation
from mmxclip.layers.fast_paths import can_fuse, fused_mlp


class MLP(nn.Module):
    """Two linear layers around an activation.

    Args:
        embed_dims: Width D of input and output.
        mlp_dims: Width between the layers. Default: ``4 * embed_dims``.
        activation: ``'quick_gelu'``, as OpenAI's CLIP has it, or ``'gelu'``.
    """

    def __init__(
        self,
        embed_dims: int,
        mlp_dims: int | None = None,
        activation: Activation = 'quick_gelu',
    ) -> None:
        super().__init__()
        mlp_dims = mlp_dims or 4 * embed_dims
        self.c_fc = nn.Linear(embed_dims, mlp_dims)
        self.gelu = ACTIVATIONS[activation]()
        self.c_proj = nn.Linear(mlp_dims, embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) -> (..., D)."""
        if can_fuse(self.c_fc, self.gelu, self.c_proj):
            return fused_mlp(x, self.c_fc, self.c_proj)
        return self.c_proj(self.gelu(self.c_fc(x)))
