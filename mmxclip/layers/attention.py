"""Multi-head attention, batch-first and fused.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py
    https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/prompt.py
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmxclip.layers.adapted import Adapted
from mmxclip.layers.fast_paths import attend_by_products, attends_by_products


def check_heads(embed_dims: int, num_heads: int) -> None:
    """Raise a ValueError unless ``num_heads`` divides ``embed_dims``."""
    if type(num_heads) is not int or num_heads < 1 or embed_dims % num_heads:
        raise ValueError(
            f'embed_dims ({embed_dims}) must be a multiple of num_heads, '
            f'got num_heads={num_heads!r}.'
        )


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """View (N, S, D) as (N, heads, S, D / heads)."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """Undo :func:`split_heads`: (N, heads, S, D / heads) -> (N, S, D)."""
    return x.transpose(1, 2).flatten(2)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    is_causal: bool = False,
    bias: Tensor | None = None,
) -> Tensor:
    """Scaled dot-product attention.

    Args:
        q: Queries (N, heads, Q, C).
        k: Keys (N, heads, S, C).
        v: Values (N, heads, S, C).
        is_causal: Whether a query sees only keys up to its own place.
        bias: Is added to the scores of the keys (N, S); not with ``is_causal``.

    Returns:
        Tensor: (N, heads, Q, C).
    """
    mask = None if bias is None else bias[:, None, None].to(q.dtype)
    if not is_causal and attends_by_products(q, k):
        return attend_by_products(q, k, v, mask)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=is_causal)


class SelfAttention(Adapted):
    """Self-attention with one fused query-key-value projection.

    Parameter names and initialisation are those of ``nn.MultiheadAttention``,
    so that CLIP's weights fit without surgery.

    Args:
        embed_dims: Width D of the tokens.
        num_heads: Number of heads; must divide ``embed_dims``.
    """

    places = ('in_proj', 'heads')

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        check_heads(embed_dims, num_heads)
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dims, embed_dims))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dims))
        self.out_proj = nn.Linear(embed_dims, embed_dims)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        x: Tensor,
        *,
        num_queries: int | None = None,
        is_causal: bool = False,
        bias: Tensor | None = None,
        return_keys: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend.

        Args:
            x: Tokens (N, S, D).
            num_queries: The first Q tokens ask, all S tokens answer. Default: S.
            is_causal: Whether a token sees only itself and those before it.
            bias: See :func:`attend`.
            return_keys: Return the keys, too.

        Returns:
            Tensor: (N, Q, D); with ``return_keys`` a tuple of it and the keys
            (N, heads, S, D / heads).
        """
        q, k, v = self.project(x).chunk(3, dim=-1)
        q, k, v = (split_heads(t, self.num_heads) for t in (q[:, :num_queries], k, v))
        attended = attend(q, k, v, is_causal=is_causal, bias=bias)
        out = self.out_proj(merge_heads(self.adapted('heads', q, attended)))
        return (out, k) if return_keys else out

    def project(self, x: Tensor) -> Tensor:
        """Return queries, keys and values, (N, S, D) -> (N, S, 3D)."""
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        return self.adapted('in_proj', x, qkv)

    def weights(self, x: Tensor) -> Tensor:
        """Return what each token takes of each, (N, S, D) -> (N, heads, S, S).

        :meth:`forward` never has them as a whole, so they are computed anew.
        """
        q, k, _ = self.project(x).chunk(3, dim=-1)
        q, k = (split_heads(t, self.num_heads) for t in (q, k))
        return (q * q.shape[-1] ** -0.5 @ k.mT).softmax(dim=-1)


class CrossAttention(nn.Module):
    """Attention of one sequence to another, without biases on its inputs.

    Args:
        embed_dims: Width E of both sequences.
        num_heads: Number of heads; must divide ``embed_dims``.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        check_heads(embed_dims, num_heads)
        self.num_heads = num_heads
        self.q_proj = nn.Linear(embed_dims, embed_dims, bias=False)
        self.k_proj = nn.Linear(embed_dims, embed_dims, bias=False)
        self.v_proj = nn.Linear(embed_dims, embed_dims, bias=False)
        self.out_proj = nn.Linear(embed_dims, embed_dims)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Attend from ``x`` to ``context``.

        Args:
            x: Queries (N, K, E), or (1, K, E) where all samples share them:
                they are projected once then.
            context: Keys and values (N, L, E).

        Returns:
            Tensor: (N, K, E).
        """
        q = self.q_proj(x).expand(context.shape[0], -1, -1)
        q, k, v = (
            split_heads(t, self.num_heads)
            for t in (q, self.k_proj(context), self.v_proj(context))
        )
        return self.out_proj(merge_heads(attend(q, k, v)))
