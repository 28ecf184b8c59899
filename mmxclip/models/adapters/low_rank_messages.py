"""Messages between frames in few dimensions."""

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.layers import Adapter, SelfAttention
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class LowRankMessages(Adapter):
    """X-CLIP's messages, projected to fewer dimensions before frames exchange them.

    The message of a frame is ``m = W_down cls``; the messages of all frames attend to
    each other, ``m + attn(ln(m))``; and ``W_up m``, zero at the start, is added to the
    frame's class token. X-CLIP has a token for each message in its place, which no
    attention could ignore at the start. For ``communication='none'``, mainly.

    Args:
        embed_dims: Width D of the tokens.
        message_dims: Width of the messages.
        num_heads: Heads of their attention; must divide ``message_dims``.

    Raises:
        ValueError: ``message_dims`` is below 1, or no multiple of ``num_heads``.

    References:
        X-CLIP (https://arxiv.org/abs/2208.02816), section 3.2 (messages of full width)
    """

    place = 'before'

    def __init__(
        self, embed_dims: int, message_dims: int = 64, num_heads: int = 1
    ) -> None:
        super().__init__()
        check_count('message_dims', message_dims)
        self.down = nn.Linear(embed_dims, message_dims)
        self.norm = nn.LayerNorm(message_dims)
        self.attn = SelfAttention(message_dims, num_heads)
        self.up = nn.Linear(message_dims, embed_dims)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Map the tokens of all frames (N, T, S, D) -> (N, T, S, D)."""
        message = self.down(x[:, :, 0])  # (N, T, message_dims)
        message = message + self.attn(self.norm(message))
        heard = self.up(message).unsqueeze(2)  # (N, T, 1, D)
        return F.pad(heard, (0, 0, 0, x.shape[2] - 1))
