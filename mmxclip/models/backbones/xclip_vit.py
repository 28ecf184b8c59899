"""Vision transformer of X-CLIP, the cross-frame communication transformer."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from mmaction.registry import MODELS
from mmaction.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmxclip.checkpoints.parts import PretrainedPart
from mmxclip.layers import (
    CrossFrameAttentionBlock,
    JointAttentionBlock,
    PatchConv,
    SingleFrameAttentionBlock,
    drop_path_schedule,
    resize_spatial_pos_embed,
)
from mmxclip.layers.activation import Activation
from mmxclip.layers.clip_sizes import VISION_ARCHS, Arch
from mmxclip.models.adapters import add_adapters
from mmxclip.models.arch_zoo import resolve_arch, untraced, unusual_mlp
from mmxclip.models.freezing import Frozen, freeze
from mmxclip.utils.checks import check_choice, check_count

OutType = Literal['tokens', 'featmap', 'pooled']


@MODELS.register_module()
class XCLIPViT(PretrainedPart, BaseModule):
    """Cross-frame communication transformer (CCT).

    CLIP's vision transformer, run on every frame; in each block the frames exchange
    what they see through message tokens. The number of frames is read off the input.

    Args:
        arch: ``'b/32'``, ``'b/16'``, ``'l/14'``, ``'l/14@336'``, LAION's
            ``'b/16-plus@240'``, ``'h/14'``, ``'g/14'``, ``'bigg/14'``, or a dict with
            ``img_size, patch_size, embed_dims, depth, num_heads, out_dims`` and, where
            they are not CLIP's, ``mlp_dims`` (4 * embed_dims) and ``activation``.
        activation: ``'quick_gelu'`` or ``'gelu'``. Default: the arch's, which is
            OpenAI's QuickGELU for the first four, LAION's GELU for the others.
        img_size: Side of the (square) frames in pixels. Default: the arch's.
        drop_path_rate: Rate of the last block's residual branches, rising linearly
            from 0 in the first.
        communication: How frames communicate:

            - ``'message'``: by message tokens, as in the paper;
            - ``'none'``: not at all, plain CLIP on each frame;
            - ``'joint'``: by joint self-attention over all tokens of all frames;
            - a config: by registered blocks of your own, which are built with
              ``embed_dims, num_heads, drop_path_rate`` (and ``mlp_dims, activation``
              where they are not CLIP's) and map the tokens of all frames
              (N, T, S, D) -> (N, T, S, D), the class token first (S = 1 + L).
        out_type: What ``forward`` returns; N videos, T frames of h x w = L patches:

            - ``'tokens'``: frame embeddings (N, T, out_dims) and patch tokens
              (N, T, L, embed_dims), a tuple: for :class:`MIT`;
            - ``'featmap'``: normalised patch tokens (N, embed_dims, T, h, w): for
              heads that pool, as ``I3DHead``;
            - ``'pooled'``: mean of the frame embeddings (N, out_dims): for heads on
              a vector, as ``TimeSformerHead``.
        frozen: ``True`` freezes everything, ``'pretrained'`` all but what CLIP does
            not bring: messages, and what blocks declare in ``fresh_parameters``.
        adapters: Configs of adapters for the blocks, see :func:`add_adapters`. They
            learn whatever is frozen.
        with_cp: Recompute each block in the backward pass to save memory.
        init_cfg: Initialisation, e.g. ``dict(type='CLIPPretrained', ...)``.

    Raises:
        ValueError: An argument is none of the values above, or the sizes do not fit
            each other.

    References:
        X-CLIP (https://arxiv.org/abs/2208.02816), section 3.2;
        https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/cct.py
    """

    slot = 'backbone.'
    resized_parameters: ClassVar = {
        'positional_embedding': lambda x, shape: resize_spatial_pos_embed(
            x, math.isqrt(shape[0] - 1)
        )
    }
    block_types: ClassVar[Mapping[str, type[nn.Module]]] = {
        'message': CrossFrameAttentionBlock,
        'none': SingleFrameAttentionBlock,
        'joint': JointAttentionBlock,
    }

    def __init__(
        self,
        arch: str | Mapping[str, Any] = 'b/16',
        *,
        activation: Activation | None = None,
        img_size: int | None = None,
        drop_path_rate: float = 0.0,
        communication: str | ConfigType = 'message',
        out_type: OutType = 'tokens',
        frozen: Frozen = False,
        adapters: Sequence[ConfigType] = (),
        with_cp: bool = False,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_choice('out_type', out_type, OutType)
        sizes = resolve_arch(arch, VISION_ARCHS, activation)
        self.arch = arch
        self.untraced = untraced(arch, activation, sizes)
        self.img_size = sizes['img_size'] if img_size is None else img_size
        check_count('img_size', self.img_size)
        self.communication = communication
        self.out_type = out_type
        self.frozen = frozen
        self.with_cp = with_cp
        self._build(sizes, drop_path_rate)
        if out_type == 'featmap':
            self.proj.requires_grad_(False)  # unused: DDP must not wait for it
        freeze(self, frozen)
        add_adapters(self.resblocks, adapters, sizes['embed_dims'])
        self.rests = frozen is True and not adapters

    def _build(self, sizes: Arch, drop_path_rate: float) -> None:
        dims, patch_size = sizes['embed_dims'], sizes['patch_size']
        if self.img_size % patch_size:
            raise ValueError(
                f'img_size ({self.img_size}) must be a multiple of patch_size '
                f'({patch_size}).'
            )
        self.grid_size = self.img_size // patch_size
        scale = dims**-0.5
        self.conv1 = PatchConv(dims, patch_size)
        self.class_embedding = nn.Parameter(scale * torch.randn(dims))
        self.positional_embedding = nn.Parameter(
            scale * torch.randn(1 + self.grid_size**2, dims)
        )
        self.ln_pre = nn.LayerNorm(dims)
        self.resblocks = nn.ModuleList(
            self._build_block(
                embed_dims=dims,
                num_heads=sizes['num_heads'],
                drop_path_rate=rate,
                **unusual_mlp(sizes),
            )
            for rate in drop_path_schedule(drop_path_rate, sizes['depth'])
        )
        self.ln_post = nn.LayerNorm(dims)
        self.proj = nn.Parameter(scale * torch.randn(dims, sizes['out_dims']))

    def _build_block(self, **sizes: Any) -> nn.Module:
        if isinstance(self.communication, Mapping):
            return MODELS.build({**self.communication, **sizes})
        if self.communication not in self.block_types:
            raise ValueError(
                f'communication must be one of {list(self.block_types)} or the config '
                f'of a block, got {self.communication!r}.'
            )
        return self.block_types[self.communication](**sizes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Encode videos.

        Args:
            x: Normalised frames (N, 3, T, H, W).

        Returns:
            See ``out_type``.

        Raises:
            ValueError: The frames do not have the size the position embedding was
                made for.
        """
        self._check_input(x)
        x = self._run_blocks(self._embed_patches(x))  # (N, T, 1+L, D)
        if self.out_type == 'featmap':
            x = self.ln_post(x[:, :, 1:])  # (N, T, L, D)
            return x.permute(0, 3, 1, 2).unflatten(-1, (self.grid_size, -1))
        frame_embeds = self.ln_post(x[:, :, 0]) @ self.proj  # (N, T, E)
        if self.out_type == 'pooled':
            return frame_embeds.mean(dim=1)
        return frame_embeds, x[:, :, 1:]

    def _check_input(self, x: Tensor) -> None:
        if x.ndim != 5 or x.shape[1] != 3 or not x.shape[2]:
            raise ValueError(
                'XCLIPViT expects videos (N, 3, T, H, W), got a tensor of shape '
                f"{tuple(x.shape)}. Use FormatShape(input_format='NCTHW')."
            )
        if x.shape[3:] != (self.img_size, self.img_size):
            raise ValueError(
                f'XCLIPViT with arch={self.arch!r} was built for {self.img_size}x'
                f'{self.img_size} pixels, got {x.shape[4]}x{x.shape[3]}. Crop to '
                f'{self.img_size} in the pipeline or set img_size of the backbone.'
            )

    def _embed_patches(self, x: Tensor) -> Tensor:
        """Map frames (N, 3, T, H, W) -> tokens (N, T, 1 + L, D)."""
        num_videos, num_frames = x.shape[0], x.shape[2]
        x = self.conv1(x)  # (N*T, L, D)
        class_token = self.class_embedding.expand(x.shape[0], 1, -1)
        x = torch.cat([class_token.to(x.dtype), x], dim=1) + self.positional_embedding
        return self.ln_pre(x).unflatten(0, (num_videos, num_frames))

    def _run_blocks(self, x: Any) -> Any:
        """Map the tokens of all frames (N, T, 1 + L, D) -> (N, T, 1 + L, D)."""
        for block in self.resblocks:
            if self.with_cp and self.training:
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return x

    def train(self, mode: bool = True) -> 'XCLIPViT':
        """Switch to training; a backbone that rests stays in evaluation mode."""
        return super().train(mode and not self.rests)
