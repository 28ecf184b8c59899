"""Text towers of Hugging Face's language-image models."""

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.utils import OptConfigType
from torch import Tensor

from mmxclip.models.freezing import freeze
from mmxclip.models.huggingface import build_half, read
from mmxclip.models.text_encoders.base import TextEncoder

_NO_TOKEN = -1  # where a tower must not look


@MODELS.register_module()
class HFTextEncoder(TextEncoder):
    """Text tower of SigLIP, SigLIP 2 or another pair, with its own tokenizer.

    Args:
        source: Where config and tokenizer are: 'hf-hub:OWNER/NAME', or a folder of
            Hugging Face. Weights come with ``init_cfg`` of the head.
        frozen: Whether the tower is kept as it is: no gradients, always in
            evaluation mode.
        init_cfg: Initialisation.

    Raises:
        ImportError: ``transformers``, or what the tokenizer needs, is not installed.
        ValueError: There is no config of a pair, or no tokenizer.
    """

    def __init__(
        self, source: str, *, frozen: bool = True, init_cfg: OptConfigType = None
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.pair = build_half(source, 'text')
        self.tokenizer = read(source, 'AutoTokenizer')
        config = self.pair.config.text_config
        self.context_length: int = config.max_position_embeddings
        # Trained on small letters, padded to the full length, which the tower sees:
        # https://github.com/huggingface/transformers/pull/43101
        self.is_siglip = config.model_type.startswith('siglip')
        self.out_dims: int = (
            config.projection_size
            if self.is_siglip
            else self.pair.config.projection_dim
        )
        self.frozen = frozen
        freeze(self, frozen)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Turn K texts into the token ids of the tower's own tokenizer (K, S).

        Raises:
            ValueError: A text is too long.
        """
        rows = self.tokenizer(
            [text.lower() if self.is_siglip else text for text in texts],
            padding='max_length' if self.is_siglip else True,
            max_length=self.context_length if self.is_siglip else None,
            return_attention_mask=True,
        )
        for text, row in zip(texts, rows['input_ids'], strict=True):
            if len(row) > self.context_length:
                raise ValueError(
                    f'This text has {len(row)} tokens, the text tower reads at most '
                    f'{self.context_length}: {text[:200]!r}. Shorten it.'
                )
        # Real numbers also where models are built without memory, under device meta.
        tokens, mask = (
            torch.tensor(rows[name], device='cpu')
            for name in ('input_ids', 'attention_mask')
        )
        return tokens if self.is_siglip else tokens.masked_fill(mask == 0, _NO_TOKEN)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode token ids (K, S) -> (K, E), not normalised."""
        mask = tokens != _NO_TOKEN
        tokens = tokens.where(mask, self.tokenizer.pad_token_id)
        out = self.pair.get_text_features(
            input_ids=tokens, attention_mask=None if self.is_siglip else mask.long()
        )
        return out.pooler_output
