"""Learned tokens that a tower reads beside its own."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.layers import Adapter
from mmxclip.layers.attention import attend, split_heads
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class PromptTokens(Adapter):
    """Prompt tokens of each block, in the towers of vision and language.

    ``attention(q, k, v) + tanh(g) * attention(q, k_p, v_p)``, where the keys and values
    of the prompt come out of the block's own projections, and the gate g is zero at the
    start. What the blocks of ViFi-CLIP and VPT make of their prompts is dropped before
    the next block, so that their prompts, too, are but keys and values; in their one
    softmax over all, however, no start leaves CLIP as it is. The gate is that of
    LLaMA-Adapter.

    Without ``depth`` in its config every block has prompts (deep); with ``depth=1``
    the first one has (shallow).

    Args:
        embed_dims: Width D of the tokens.
        num_tokens: Tokens of a block.

    Raises:
        ValueError: ``num_tokens`` is below 1.

    References:
        Rasheed et al., "Fine-tuned CLIP Models are Efficient Video Learners", CVPR 2023
        (https://arxiv.org/abs/2212.03640); Zhang et al., "LLaMA-Adapter"
        (https://arxiv.org/abs/2303.16199), zero-initialised attention
    """

    place = 'heads'

    def __init__(self, embed_dims: int, num_tokens: int = 8) -> None:
        super().__init__()
        check_count('num_tokens', num_tokens)
        # As if normalised: of the size that the projections expect.
        self.tokens = nn.Parameter(torch.randn(num_tokens, embed_dims))
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map queries (N, heads, S, D / heads) to what they read in the prompt."""
        _, *parts = owner.project(self.tokens.unsqueeze(0)).chunk(3, dim=-1)
        heads = (split_heads(part, x.shape[1]) for part in parts)
        k, v = (part.expand(x.shape[0], -1, -1, -1) for part in heads)
        return self.gate.tanh() * attend(x, k, v)
