"""Bottleneck adapters of AIM."""

from typing import Literal

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.layers import Adapter
from mmxclip.utils.checks import check_choice, check_count

Place = Literal['after_attn', 'mlp']


@MODELS.register_module()
class BottleneckAdapter(Adapter):
    """Two linear layers around GELU: ``scale * W_up GELU(W_down x)``, W_up zero first.

    Behind the attention it is AIM's spatial adapter, beside the MLP its joint adapter,
    whose ``scale`` is 0.5 there.

    Args:
        embed_dims: Width D of the tokens.
        hidden_dims: Width between the layers; D / 4 in AIM.
        place: ``'after_attn'`` or ``'mlp'``.
        scale: Factor of the result.

    Raises:
        ValueError: ``hidden_dims`` is below 1, or ``place`` is none of the above.

    References:
        Yang et al., "AIM: Adapting Image Models for Efficient Video Action
        Recognition", ICLR 2023 (https://arxiv.org/abs/2302.03024), section 3
    """

    def __init__(
        self,
        embed_dims: int,
        hidden_dims: int = 192,
        *,
        place: Place = 'after_attn',
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        check_count('hidden_dims', hidden_dims)
        check_choice('place', place, Place)
        self.place = place
        self.scale = scale
        self.down = nn.Linear(embed_dims, hidden_dims)
        self.up = nn.Linear(hidden_dims, embed_dims)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map (..., D) -> (..., D)."""
        return self.scale * self.up(F.gelu(self.down(x)))


@MODELS.register_module()
class TemporalAdapter(BottleneckAdapter):
    """AIM's temporal adapter: the block's own attention, over time, adapted.

    ``x + adapter(attn(ln_1(x)))``, where each token attends to those of its place in
    all frames; then the block goes on in space.

    Args:
        embed_dims: Width D of the tokens.
        hidden_dims: See :class:`BottleneckAdapter`.
    """

    def __init__(self, embed_dims: int, hidden_dims: int = 192) -> None:
        super().__init__(embed_dims, hidden_dims)
        self.place = 'before'

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map the tokens of all frames (N, T, S, D) -> (N, T, S, D)."""
        tubes = x.transpose(1, 2)  # (N, S, T, D)
        attended = owner.attn(owner.ln_1(tubes.flatten(0, 1)))  # (N*S, T, D)
        attended = attended.unflatten(0, tubes.shape[:2]).transpose(1, 2)
        return super().forward(attended, owner)
