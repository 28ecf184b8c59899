"""Multi-frame integration transformer of X-CLIP."""

import warnings
from typing import ClassVar, Literal, TypeAlias

import torch
from mmaction.registry import MODELS
from mmaction.utils import OptConfigType, OptSampleList
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmxclip.checkpoints.parts import PretrainedPart, Untraced
from mmxclip.layers import (
    ResidualAttentionBlock,
    init_linear_layers,
    resize_temporal_pos_embed,
)
from mmxclip.layers.activation import Activation
from mmxclip.layers.clip_sizes import count_heads
from mmxclip.models.feature_hints import describe, hint
from mmxclip.utils.checks import check_choice, check_count

FrameFeatures: TypeAlias = Tensor | tuple[Tensor, Tensor]
Context = Literal['patch_tokens', 'frame_embeds', None]


@MODELS.register_module()
class MIT(PretrainedPart, BaseModule):
    """Multi-frame integration transformer: frame embeddings -> video embedding.

    ``mean over T of (z + transformer(z + position))``. Works behind any backbone
    that gives frame embeddings or a feature map of ``embed_dims`` channels.

    Args:
        embed_dims: Width E of the frame embeddings: 512 for B models, 768 for L.
        num_frames: Frames that the temporal position embedding is made for. Other
            numbers at run time are interpolated, with a warning.
        depth: Number of transformer layers.
        num_heads: Attention heads. Default: ``embed_dims // 64`` (B: 8, L: 12).
        context: What goes with the video embedding, for a prompt learner to look at:

            - ``'patch_tokens'``: the patch tokens (N, T, L, D), if there are any;
            - ``'frame_embeds'``: the frame embeddings (N, 1, T, E), the T frames in
              place of the L patches;
            - ``None``: nothing; the output is one tensor then, as stock heads take.

        activation: ``'quick_gelu'`` as in the paper, or ``'gelu'``.
        init_cfg: Initialisation.

    Raises:
        ValueError: ``context`` or ``activation`` is none of the above, or a number is
            too small.

    References:
        X-CLIP (https://arxiv.org/abs/2208.02816), section 3.2, equation 8;
        https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/mit.py
    """

    slot = 'neck.'
    fresh_parameters = ('*',)
    resized_parameters: ClassVar = {
        'positional_embedding': lambda x, shape: resize_temporal_pos_embed(x, shape[1])
    }

    def __init__(
        self,
        embed_dims: int = 512,
        num_frames: int = 8,
        depth: int = 1,
        *,
        num_heads: int | None = None,
        context: Context = 'patch_tokens',
        activation: Activation = 'quick_gelu',
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_choice('context', context, Context)
        check_choice('activation', activation, Activation)
        check_count('embed_dims', embed_dims)
        check_count('num_frames', num_frames)
        check_count('depth', depth, lowest=0)
        self.context = context
        if num_heads is None:
            num_heads = count_heads(embed_dims)
        self.untraced = Untraced(num_heads, activation, is_said=True)
        self.positional_embedding = nn.Parameter(torch.empty(1, num_frames, embed_dims))
        self.resblocks = nn.ModuleList(
            ResidualAttentionBlock(embed_dims, num_heads, activation=activation)
            for _ in range(depth)
        )
        nn.init.trunc_normal_(self.positional_embedding, std=0.02)
        init_linear_layers(self)
        self._warned_about: set[int] = set()

    def forward(
        self,
        x: FrameFeatures,
        data_samples: OptSampleList = None,
    ) -> tuple[FrameFeatures, dict[str, Tensor]]:
        """Integrate the frames of each video.

        Args:
            x: Frame embeddings (N, T, E); or with patch tokens, as a tuple
                ((N, T, E), (N, T, L, D)); or a feature map (N, E, T, h, w), whose
                spatial mean gives the frame embeddings and whose cells the patch
                tokens.
            data_samples: Not used.

        Returns:
            tuple: The video embedding (N, E), in a tuple with its ``context`` where
            there is any; and an empty dict of auxiliary losses.

        Raises:
            ValueError: ``x`` has another shape.
        """
        frame_embeds, patch_tokens = self._split(x)
        position = self._position_for(frame_embeds.shape[1])
        z = frame_embeds + position  # (N, T, E)
        for block in self.resblocks:
            z = block(z)
        video_embed = (z + frame_embeds).mean(dim=1)  # (N, E)
        context = patch_tokens
        if self.context == 'frame_embeds':
            context = frame_embeds.unsqueeze(1)  # (N, 1, T, E)
        if context is None or self.context is None:
            return video_embed, {}
        return (video_embed, context), {}

    def _split(self, x: FrameFeatures) -> tuple[Tensor, Tensor | None]:
        frame_embeds, patch_tokens = _as_pair(x)
        if frame_embeds.ndim == 5:
            patch_tokens = frame_embeds.flatten(3).permute(0, 2, 3, 1)  # (N, T, L, E)
            frame_embeds = patch_tokens.mean(dim=2)
        embed_dims = self.positional_embedding.shape[2]
        shape = frame_embeds.shape
        if len(shape) == 4:
            raise ValueError(
                f'MIT takes the frames of a video together, got {describe(x)}. '
                f'{hint(frame_embeds)}'
            )
        if len(shape) != 3 or not shape[1] or shape[2] != embed_dims:
            raise ValueError(
                f'MIT with embed_dims={embed_dims} expects frame embeddings '
                f'(N, T, {embed_dims}) or a feature map (N, {embed_dims}, T, h, w), '
                f'got shape {tuple(shape)}. Set embed_dims of the neck to the number '
                'of channels of the backbone.'
            )
        return frame_embeds, patch_tokens

    def _position_for(self, num_frames: int) -> Tensor:
        if torch.compiler.is_exporting():  # for any number of frames
            return resize_temporal_pos_embed(self.positional_embedding, num_frames)
        built_for = self.positional_embedding.shape[1]
        if num_frames != built_for and num_frames not in self._warned_about:
            self._warned_about.add(num_frames)
            warnings.warn(
                f'MIT was built for {built_for} frames and gets {num_frames}: its '
                'temporal position embedding is interpolated. Set num_frames of the '
                f'neck to {num_frames} to train it at that length.',
                stacklevel=3,
            )
        return resize_temporal_pos_embed(self.positional_embedding, num_frames)


def _as_pair(x: FrameFeatures) -> tuple[Tensor, Tensor | None]:
    if isinstance(x, Tensor):
        return x, None
    if len(x) != 2 or x[1].ndim != 4:
        raise ValueError(
            'MIT takes frame embeddings (N, T, E) with patch tokens (N, T, L, D), or '
            f'one tensor, got {describe(x)}. {hint(x)}'
        )
    return x[0], x[1]
