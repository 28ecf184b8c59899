"""Text tower of CLIP."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.utils import ConfigType, OptConfigType
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmxclip.layers import ResidualAttentionBlock
from mmxclip.layers.activation import Activation
from mmxclip.layers.clip_sizes import TEXT_ARCHS
from mmxclip.models.adapters import add_adapters
from mmxclip.models.arch_zoo import resolve_arch, untraced, unusual_mlp
from mmxclip.models.freezing import freeze
from mmxclip.models.text_encoders.base import TextEncoder
from mmxclip.text import tokenize


@MODELS.register_module()
class CLIPTextEncoder(TextEncoder):
    """CLIP's causal text transformer: token ids -> one embedding per text.

    Args:
        arch: Name of the CLIP model it belongs to, see :class:`XCLIPViT`; or a dict
            with ``embed_dims, depth, num_heads, out_dims, context_length, vocab_size``
            and, where they are not CLIP's, ``mlp_dims`` and ``activation``.
        activation: ``'quick_gelu'`` or ``'gelu'``. Default: the arch's.
        frozen: Whether the tower is kept as it is: no gradients, always in
            evaluation mode.
        adapters: Configs of adapters for the blocks, see :func:`add_adapters`. They
            learn in a frozen tower, too.
        with_cp: Recompute each block in the backward pass to save memory.
        init_cfg: Initialisation.

    Raises:
        ValueError: ``arch`` is not one of the above.

    References:
        https://github.com/openai/CLIP/blob/main/clip/model.py
    """

    def __init__(
        self,
        arch: str | Mapping[str, Any] = 'b/16',
        *,
        activation: Activation | None = None,
        frozen: bool = True,
        adapters: Sequence[ConfigType] = (),
        with_cp: bool = False,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        sizes = resolve_arch(arch, TEXT_ARCHS, activation)
        dims, depth = sizes['embed_dims'], sizes['depth']
        self.context_length = sizes['context_length']
        self.out_dims = sizes['out_dims']
        self.untraced = untraced(arch, activation, sizes)
        self.frozen = frozen and not adapters
        self.with_cp = with_cp
        self.token_embedding = nn.Embedding(sizes['vocab_size'], dims)
        self.positional_embedding = nn.Parameter(torch.empty(self.context_length, dims))
        self.resblocks = nn.ModuleList(
            ResidualAttentionBlock(
                dims, sizes['num_heads'], is_causal=True, **unusual_mlp(sizes)
            )
            for _ in range(depth)
        )
        self.ln_final = nn.LayerNorm(dims)
        self.text_projection = nn.Parameter(torch.empty(dims, self.out_dims))
        self._init_parameters()
        freeze(self, frozen)
        add_adapters(self.resblocks, adapters, dims)

    def _init_parameters(self) -> None:
        dims = self.text_projection.shape[0]
        out_std = dims**-0.5 * (2 * len(self.resblocks)) ** -0.5
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)
        nn.init.normal_(self.text_projection, std=dims**-0.5)
        for block in self.resblocks:
            nn.init.normal_(block.attn.in_proj_weight, std=dims**-0.5)
            nn.init.normal_(block.attn.out_proj.weight, std=out_std)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * dims) ** -0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=out_std)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Turn K texts into CLIP's token ids, cut behind the longest text (K, S)."""
        tokens = tokenize(texts, self.context_length)
        # Nothing behind the last end token matters to a causal tower.
        return tokens[:, : int(tokens.argmax(dim=-1).max()) + 1].contiguous()

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode texts.

        Args:
            tokens: Token ids (K, S), S <= context_length. Rows may be cut behind
                the longest text's end token (the largest id of a row): attention is
                causal, so nothing behind it matters.

        Returns:
            Tensor: Text embeddings (K, out_dims), not normalised.
        """
        return self.encode(self.token_embedding(tokens), tokens.argmax(dim=-1))

    def encode(self, words: Tensor, ends: Tensor) -> Tensor:
        """Encode texts whose words are vectors, e.g. learned ones.

        Args:
            words: Token embeddings (K, S, D), S <= context_length.
            ends: Position of each text's end token (K, ).

        Returns:
            Tensor: Text embeddings (K, out_dims), not normalised.
        """
        x = words + self.positional_embedding[: words.shape[1]]
        for block in self.resblocks:
            if self.with_cp and x.requires_grad:  # also through a frozen tower
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)  # (K, S, D)
        rows = torch.arange(x.shape[0], device=x.device)
        x = self.ln_final(x[rows, ends])  # (K, D)
        return x @ self.text_projection
