"""Messages between frames, for blocks that were not made for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmxclip.layers.attention import SelfAttention


class Messages(nn.Module):
    """Let the frames of a video talk before a transformer layer of any make.

    As :class:`CrossFrameAttentionBlock` does, but a message is projected from the
    mean of its frame's tokens, as not every tower has a class token; and it leaves
    behind the layer, MLP and all. Both are ours, not the paper's.

    Args:
        embed_dims: Width D of the tokens.
        num_heads: Number of heads.
        num_frames: T of a video.
    """

    def __init__(self, embed_dims: int, num_heads: int, num_frames: int) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.message_fc = nn.Linear(embed_dims, embed_dims)
        self.message_ln = nn.LayerNorm(embed_dims)
        self.message_attn = SelfAttention(embed_dims, num_heads)

    @contextmanager
    def around(self, layer: nn.Module) -> Iterator[None]:
        """Let messages join what ``layer`` is given, and leave what it returns.

        Its tokens (N*T, S, D) must be its first argument and all that it returns.
        """
        with (
            layer.register_forward_pre_hook(self._join),
            layer.register_forward_hook(self._leave),
        ):
            yield

    def _join(self, _: nn.Module, args: tuple) -> tuple:
        x, *rest = args
        frames = x.mean(dim=1).unflatten(0, (-1, self.num_frames))
        message = self.message_fc(frames)  # (N, T, D)
        message = message + self.message_attn(self.message_ln(message))
        x = torch.cat([x, message.flatten(0, 1).unsqueeze(1)], dim=1)
        return x, *rest

    @staticmethod
    def _leave(_: nn.Module, __: tuple, output: Tensor) -> Tensor:
        return output[:, :-1]
