"""Learnable context vectors shared by all classes."""

import torch
from mmaction.registry import MODELS
from mmaction.utils import OptConfigType
from torch import Tensor, nn

from mmxclip.models.prompts.base import PromptLearner
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class ContextVectors(PromptLearner):
    """Learn the words around the class names (CoOp).

    ``[start] v_1 ... v_M [class name] [end]``: the text tower reads M vectors, the
    same for all classes and videos, in front of the tokens of each class text. The
    tower itself may stay frozen: gradients pass through it.

    Args:
        num_vectors: M. The class texts have that many tokens less room.
        embed_dims: Width of the text tower's token embeddings: 512 for B models, 768
            for L.
        init_cfg: Initialisation.

    Raises:
        ValueError: ``num_vectors`` or ``embed_dims`` is below 1.

    References:
        Zhou et al., "Learning to Prompt for Vision-Language Models", IJCV 2022
        (https://arxiv.org/abs/2109.01134), equation 2, unified context.
    """

    learns_text = True

    def __init__(
        self,
        num_vectors: int = 16,
        embed_dims: int = 512,
        *,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_count('num_vectors', num_vectors)
        check_count('embed_dims', embed_dims)
        self.extra_tokens = num_vectors
        self.vectors = nn.Parameter(0.02 * torch.randn(num_vectors, embed_dims))

    def encode(self, text_encoder: nn.Module, tokens: Tensor) -> Tensor:
        """Encode token ids (K, S) behind the learned vectors -> (K, E).

        S is that of the longest text, as :class:`XCLIPHead` cuts them.

        Raises:
            ValueError: The tower is none of CLIP's, the vectors are not as wide as its
                token embeddings, or a text and the vectors exceed its context.
        """
        num_vectors, embed_dims = self.vectors.shape
        if not hasattr(text_encoder, 'token_embedding'):
            raise ValueError(
                "ContextVectors write into the words of type='CLIPTextEncoder', got "
                f'{type(text_encoder).__name__}.'
            )
        words = text_encoder.token_embedding(tokens)  # (K, S, D)
        if words.shape[-1] != embed_dims:
            raise ValueError(
                f'embed_dims={embed_dims} of the prompt must be the width of the '
                f"text tower's token embeddings, {words.shape[-1]}."
            )
        needed, room = tokens.shape[1] + num_vectors, text_encoder.context_length
        if needed > room:
            raise ValueError(
                f'The longest class text and num_vectors={num_vectors} take {needed} '
                f'tokens, the text tower reads {room}. Shorten either.'
            )
        vectors = self.vectors.to(words.dtype).expand(tokens.shape[0], -1, -1)
        words = torch.cat([words[:, :1], vectors, words[:, 1:]], dim=1)
        return text_encoder.encode(words, tokens.argmax(dim=-1) + num_vectors)
