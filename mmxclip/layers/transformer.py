"""CLIP's pre-norm transformer block.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (ResidualAttentionBlock)
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from mmxclip.layers.activation import Activation
from mmxclip.layers.adapted import Adapted
from mmxclip.layers.attention import SelfAttention
from mmxclip.layers.drop_path import drop_path
from mmxclip.layers.mlp import MLP


class ResidualAttentionBlock(Adapted):
    """``x + attn(ln_1(x))``, then ``x + mlp(ln_2(x))``.

    Args:
        embed_dims: Width D of the tokens.
        num_heads: Number of attention heads.
        drop_path_rate: Probability of dropping a residual branch in training.
        is_causal: Whether a token sees only itself and those before it.
        mlp_dims: Width inside the MLP. Default: ``4 * embed_dims``.
        activation: Of the MLP, ``'quick_gelu'`` or ``'gelu'``.
    """

    places: ClassVar[Sequence[str]] = ('after_attn', 'mlp')

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        *,
        drop_path_rate: float = 0.0,
        is_causal: bool = False,
        mlp_dims: int | None = None,
        activation: Activation = 'quick_gelu',
    ) -> None:
        super().__init__()
        self.is_causal = is_causal
        self.ln_1 = nn.LayerNorm(embed_dims)
        self.attn = SelfAttention(embed_dims, num_heads)
        self.ln_2 = nn.LayerNorm(embed_dims)
        self.mlp = MLP(embed_dims, mlp_dims, activation)
        self.drop_path = drop_path(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, S, D) -> (N, S, D)."""
        attended = self.attn(self.ln_1(x), is_causal=self.is_causal)
        return self.feed_forward(self.add_attended(x, attended))

    def add_attended(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add what the attention gives to tokens (N, S, D)."""
        return x + self.drop_path(self.adapted('after_attn', attended, attended))

    def feed_forward(self, x: Tensor) -> Tensor:
        """Run the second half on tokens of any shape (..., S, D)."""
        normed = self.ln_2(x)
        return x + self.drop_path(self.adapted('mlp', normed, self.mlp(normed)))
