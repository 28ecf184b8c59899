"""Block of the cross-frame communication transformer (CCT).

References:
    X-CLIP (https://arxiv.org/abs/2208.02816), section 3.2, equations 4 to 6
    https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/cct.py
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mmxclip.layers.attention import SelfAttention
from mmxclip.layers.transformer import ResidualAttentionBlock


class CrossFrameAttentionBlock(ResidualAttentionBlock):
    """CLIP's block plus a message token by which the frames of a video talk.

    The message token of a frame is projected from its class token; the message
    tokens of all frames attend to each other (cross-frame fusion attention); then
    each joins its own frame's tokens for CLIP's self-attention (intra-frame
    diffusion attention) and is dropped before the MLP.

    Args:
        embed_dims: Width D of the tokens.
        num_heads: Number of heads of both attentions.
        drop_path_rate: Probability of dropping a residual branch in training: of
            the message branch for a video, of the other two for a frame.
        **mlp: ``mlp_dims`` and ``activation`` of the MLP.
    """

    fresh_parameters = ('message_*',)
    places: ClassVar[Sequence[str]] = ('before', *ResidualAttentionBlock.places)

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        *,
        drop_path_rate: float = 0.0,
        **mlp: Any,
    ) -> None:
        super().__init__(embed_dims, num_heads, drop_path_rate=drop_path_rate, **mlp)
        self.message_fc = nn.Linear(embed_dims, embed_dims)
        self.message_ln = nn.LayerNorm(embed_dims)
        self.message_attn = SelfAttention(embed_dims, num_heads)

    def forward(self, x: Tensor) -> Tensor:
        """Map the tokens of all frames (N, T, S, D) -> (N, T, S, D).

        The first of the S tokens of a frame is its class token.
        """
        x = self.adapted('before', x, x)
        num_frames, num_tokens = x.shape[1:3]
        # The message is dropped right after, so it answers but need not ask.
        attended = self.attn(
            self.ln_1(self.join_messages(x)), num_queries=num_tokens
        )  # (N*T, S, D)
        x = self.add_attended(x.flatten(0, 1), attended)
        return self.feed_forward(x).unflatten(0, (-1, num_frames))

    def join_messages(self, x: Tensor) -> Tensor:
        """Put its message behind each frame's tokens: (N, T, S, D) -> (N*T, S+1, D)."""
        message = self.message_fc(x[:, :, 0])  # (N, T, D)
        message = message + self.drop_path(self.message_attn(self.message_ln(message)))
        return torch.cat([x, message.unsqueeze(2)], dim=2).flatten(0, 1)
