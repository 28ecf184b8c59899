"""Video-specific prompting of X-CLIP."""

import torch
from mmaction.registry import MODELS
from mmaction.utils import OptConfigType
from torch import Tensor, nn

from mmxclip.layers import MLP, CrossAttention, init_linear_layers
from mmxclip.layers.clip_sizes import count_heads
from mmxclip.models.prompts.base import PromptLearner
from mmxclip.utils.checks import check_count


class PromptBlock(nn.Module):
    """Pre-norm block: class features ask the video, then an MLP.

    Args:
        embed_dims: Width E of the features.
        num_heads: Number of attention heads.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(embed_dims)
        self.cross_attn = CrossAttention(embed_dims, num_heads)
        self.ln_2 = nn.LayerNorm(embed_dims)
        self.mlp = MLP(embed_dims)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map (N or 1, K, E) with context (N, L, E) -> (N, K, E)."""
        x = x + self.cross_attn(self.ln_1(x), context)
        return x + self.mlp(self.ln_2(x))


@MODELS.register_module()
class VideoSpecificPrompt(PromptLearner):
    """Adapt class features to each video by cross-attention to its patch tokens.

    ``text + alpha * decoder(text, context)``, where the context is the mean over
    frames of the projected patch tokens. With ``context='frame_embeds'`` of the neck
    (:class:`MIT`) the class features ask the frames instead.

    Args:
        embed_dims: Width E of class features: 512 for B models, 768 for L.
        context_dims: Width D of patch tokens: 768 for B models, 1024 for L. Of frame
            embeddings: ``embed_dims``.
        depth: Number of decoder blocks.
        num_heads: Attention heads. Default: ``embed_dims // 64`` (B: 8, L: 12).
        alpha: Weight of the prompt, per channel.
        learn_alpha: Whether ``alpha`` is only where learning starts.
        init_cfg: Initialisation.

    Raises:
        ValueError: A number is too small, or ``num_heads`` does not divide
            ``embed_dims``.

    References:
        X-CLIP (https://arxiv.org/abs/2208.02816), section 3.3, equations 9 and 10;
        https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/prompt.py
    """

    needs_context = True

    def __init__(
        self,
        embed_dims: int = 512,
        context_dims: int = 768,
        *,
        depth: int = 2,
        num_heads: int | None = None,
        alpha: float = 0.1,
        learn_alpha: bool = True,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_count('embed_dims', embed_dims)
        check_count('context_dims', context_dims)
        check_count('depth', depth)
        if num_heads is None:
            num_heads = count_heads(embed_dims)
        self.context_ln = nn.LayerNorm(context_dims)
        self.context_proj = nn.Parameter(torch.randn(context_dims, embed_dims))
        self.norm = nn.LayerNorm(embed_dims)
        self.decoder = nn.ModuleList(
            PromptBlock(embed_dims, num_heads) for _ in range(depth)
        )
        self.alpha = nn.Parameter(
            torch.full((embed_dims,), float(alpha)), requires_grad=learn_alpha
        )
        init_linear_layers(self)

    def prepare_context(self, tokens: Tensor | None) -> Tensor:
        """Project the tokens of a video and average them over its frames.

        Args:
            tokens: Patch tokens (N, T, L, D), or frame embeddings (N, 1, T, D).

        Returns:
            Tensor: Context (N, L, E).

        Raises:
            ValueError: There are no tokens, or they are not ``context_dims`` wide.
        """
        if tokens is None:
            raise ValueError('VideoSpecificPrompt needs the visual context of a neck.')
        context_dims = len(self.context_proj)
        if tokens.shape[-1] != context_dims:
            raise ValueError(
                f'VideoSpecificPrompt with context_dims={context_dims} got visual '
                f'context {tokens.shape[-1]} wide. Set context_dims to that.'
            )
        # The mean over T commutes with the projection, which then runs once, not T
        # times.
        context = self.context_ln(tokens).mean(dim=1)  # (N, L, D)
        return self.norm(context @ self.context_proj)

    def adapt(self, text: Tensor, context: Tensor | None) -> Tensor:
        """Let class features ask the context.

        Args:
            text: Class features (K, E), or those of each video (N, K, E).
            context: From :meth:`prepare_context` (N, L, E).

        Returns:
            Tensor: Class features of each video (N, K, E).

        Raises:
            ValueError: The class features are not ``embed_dims`` wide.
        """
        embed_dims = len(self.alpha)
        if text.shape[-1] != embed_dims:
            raise ValueError(
                f'VideoSpecificPrompt with embed_dims={embed_dims} got class features '
                f'{text.shape[-1]} wide. Set embed_dims to that.'
            )
        # (1, K, E) where all videos share them: the first queries are computed once.
        x = text if text.ndim == 3 else text.unsqueeze(0)
        for block in self.decoder:
            x = block(x, context)  # (N, K, E)
        return text + self.alpha * x
