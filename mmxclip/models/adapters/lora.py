"""Low-rank adaptation."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.layers import Adapter
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class LoRA(Adapter):
    """Low-rank changes of the projections of an attention: ``W x + B A x``.

    ``B`` starts at zero. The paper's factor alpha / r is 1: it acts as the learning
    rate does. :func:`merge_adapters` makes ``W + B A`` of it, which costs nothing.

    Args:
        embed_dims: Width D of the tokens.
        rank: r, the rows of A.
        parts: Which projections: 'q', 'k', 'v', or several, as 'qv' and 'qkv'.

    Raises:
        ValueError: ``rank`` is below 1, or ``parts`` none of the above.

    References:
        Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022
        (https://arxiv.org/abs/2106.09685), equation 3
    """

    place = 'in_proj'

    def __init__(self, embed_dims: int, rank: int = 8, parts: str = 'qv') -> None:
        super().__init__()
        check_count('rank', rank)
        if not parts or parts != ''.join(p for p in 'qkv' if p in parts):
            raise ValueError(
                f"parts must be of 'q', 'k', 'v' in this order, got {parts!r}."
            )
        self.parts = nn.ModuleDict(
            {
                part: nn.Sequential(
                    nn.Linear(embed_dims, rank, bias=False),
                    nn.Linear(rank, embed_dims, bias=False),
                )
                for part in parts
            }
        )
        for _, up in self.parts.values():
            nn.init.zeros_(up.weight)

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map tokens (N, S, D) -> (N, S, 3D)."""
        rest = torch.zeros_like(x)
        return torch.cat(
            [self.parts[p](x) if p in self.parts else rest for p in 'qkv'], dim=-1
        )
