"""What the frames of a video took of each other through their message tokens."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from mmxclip.layers import CrossFrameAttentionBlock, SelfAttention


@contextmanager
def recording_messages(model: nn.Module) -> Iterator[list[Tensor]]:
    """Record the attention among message tokens while a model runs.

    It is computed anew from what goes into the attention, which itself runs as ever.

    Args:
        model: Any; where frames do not talk by messages, nothing is recorded.

    Yields:
        A list that gets, for each block that runs, the weights (N, T, T), means over
        the heads: in row t what frame t takes of each frame; a row adds up to one.
    """
    recorded: list[Tensor] = []

    def record(attention: SelfAttention, inputs: tuple[Any, ...]) -> None:
        recorded.append(attention.weights(inputs[0]).mean(dim=1))

    with ExitStack() as hooks:
        for block in model.modules():
            if isinstance(block, CrossFrameAttentionBlock):
                hook = block.message_attn.register_forward_pre_hook(record)
                hooks.callback(hook.remove)
        yield recorded
