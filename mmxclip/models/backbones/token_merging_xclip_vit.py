"""XCLIPViT with fewer and fewer tokens: an approximation."""

from collections.abc import Mapping
from typing import Any, ClassVar

from mmaction.registry import MODELS
from torch import Tensor

from mmxclip.layers import MergedTokens, TokenMergingBlock
from mmxclip.models.backbones.xclip_vit import XCLIPViT
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class TokenMergingXCLIPViT(XCLIPViT):
    """An :class:`XCLIPViT` that merges patch tokens that are alike.

    Each block merges ``merge_tokens`` pairs of a frame's tokens between its attention
    and its MLP, so that the later blocks have less and less to compute. In the end
    every patch gets the token that stands for it. It has the weights of an ``XCLIPViT``
    and needs no training of its own.

    Args:
        arch: See :class:`XCLIPViT`.
        merge_tokens: How many of a frame's L patch tokens vanish in each block, at
            most ``L // (depth + 1)``: 15 for B/16, 3 for B/32, 10 for L/14. Default:
            half of that.
        **kwargs: See :class:`XCLIPViT`; frames communicate by messages.

    Raises:
        ValueError: More tokens than there are, another communication, or what
            :class:`XCLIPViT` refuses.

    References:
        Token Merging: Your ViT But Faster (https://arxiv.org/abs/2210.09461)
    """

    block_types: ClassVar = {'message': TokenMergingBlock}

    def __init__(
        self,
        arch: str | Mapping[str, Any] = 'b/16',
        *,
        merge_tokens: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(arch, **kwargs)
        most = self.grid_size**2 // (len(self.resblocks) + 1)
        merge_tokens = (most + 1) // 2 if merge_tokens is None else merge_tokens
        check_count('merge_tokens', merge_tokens)
        if merge_tokens > most:
            raise ValueError(
                f'merge_tokens must be at most {most} for {self.grid_size**2} patches '
                f'and {len(self.resblocks)} blocks, got {merge_tokens}.'
            )
        for block in self.resblocks:
            block.merge_tokens = merge_tokens

    def _run_blocks(self, x: Tensor) -> Tensor:
        return super()._run_blocks(MergedTokens.of_patches(x)).spread()
