"""X-CLIP written the straightforward way: the yardstick of the benchmark.

Sequence-first ``nn.MultiheadAttention``, QuickGELU as its formula, every patch token
projected before the mean over frames. Parameters have the names of the official
checkpoints.

References:
    X-CLIP (https://arxiv.org/abs/2208.02816)
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from mmxclip.convert import Geometry


class QuickGELU(nn.Module):
    """The formula."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """CLIP's block on tokens (S, N, D)."""

    def __init__(self, dims: int, mask: Tensor | None = None) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(dims, dims // 64)
        self.ln_1, self.ln_2 = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=nn.Linear(dims, 4 * dims),
                gelu=QuickGELU(),
                c_proj=nn.Linear(4 * dims, dims),
            )
        )
        self.register_buffer('mask', mask, persistent=False)

    def attend(self, x: Tensor) -> Tensor:
        """Self-attention."""
        mask = None if self.mask is None else self.mask[: len(x), : len(x)].to(x)
        return self.attn(x, x, x, need_weights=False, attn_mask=mask)[0]

    def forward(self, x: Tensor) -> Tensor:
        """Map (S, N, D) -> (S, N, D)."""
        x = x + self.attend(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class CrossFrameBlock(Block):
    """The block with a message token for each frame."""

    def __init__(self, dims: int, num_frames: int) -> None:
        super().__init__(dims)
        self.num_frames = num_frames
        self.message_fc, self.message_ln = nn.Linear(dims, dims), nn.LayerNorm(dims)
        self.message_attn = nn.MultiheadAttention(dims, dims // 64)

    def forward(self, x: Tensor) -> Tensor:
        """Map (S, N*T, D) -> (S, N*T, D)."""
        message = self.message_fc(x[0]).unflatten(0, (-1, self.num_frames))
        message = message.permute(1, 0, 2)  # (T, N, D)
        y = self.message_ln(message)
        message = message + self.message_attn(y, y, y, need_weights=False)[0]
        message = message.permute(1, 0, 2).flatten(0, 1).unsqueeze(0)
        x = torch.cat([x, message])
        x = x + self.attend(self.ln_1(x))
        x = x[:-1]
        return x + self.mlp(self.ln_2(x))


class Visual(nn.Module):
    """Frames (N, T, 3, H, W) -> frame embeddings (N, T, E), tokens (N, T, L, D)."""

    def __init__(self, sizes: Geometry, num_frames: int) -> None:
        super().__init__()
        dims = sizes.embed_dims
        num_patches = (sizes.img_size // sizes.patch_size) ** 2
        self.conv1 = nn.Conv2d(
            3, dims, sizes.patch_size, stride=sizes.patch_size, bias=False
        )
        self.class_embedding = nn.Parameter(torch.empty(dims))
        self.positional_embedding = nn.Parameter(torch.empty(1 + num_patches, dims))
        self.ln_pre, self.ln_post = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *(CrossFrameBlock(dims, num_frames) for _ in range(sizes.depth))
        )
        self.proj = nn.Parameter(torch.empty(dims, sizes.out_dims))

    def forward(self, video: Tensor) -> tuple[Tensor, Tensor]:
        """Encode."""
        batch, frames = video.shape[:2]
        x = self.conv1(video.flatten(0, 1)).flatten(2).permute(0, 2, 1)
        token = self.class_embedding + x.new_zeros(len(x), 1, x.shape[2])
        x = self.ln_pre(torch.cat([token, x], dim=1) + self.positional_embedding)
        x = self.transformer.resblocks(x.permute(1, 0, 2)).permute(1, 0, 2)
        x = x.unflatten(0, (batch, frames))
        return self.ln_post(x[:, :, 0]) @ self.proj, x[:, :, 1:]


class MIT(nn.Module):
    """Frame embeddings (N, T, E) -> video embedding (N, E)."""

    def __init__(self, sizes: Geometry, num_frames: int) -> None:
        super().__init__()
        dims = sizes.out_dims
        self.positional_embedding = nn.Parameter(torch.empty(1, num_frames, dims))
        self.resblocks = nn.Sequential(*(Block(dims) for _ in range(sizes.mit_depth)))

    def forward(self, x: Tensor) -> Tensor:
        """Integrate."""
        y = (x + self.positional_embedding).permute(1, 0, 2)
        return (self.resblocks(y).permute(1, 0, 2) + x).mean(dim=1)


class PlainCrossAttention(nn.Module):
    """Class features (N, K, E) ask patch features (N, L, E)."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.num_heads = dims // 64
        self.q_proj = nn.Linear(dims, dims, bias=False)
        self.k_proj = nn.Linear(dims, dims, bias=False)
        self.v_proj = nn.Linear(dims, dims, bias=False)
        self.proj = nn.Linear(dims, dims)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Attend by three products."""
        q, k, v = (
            t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for t in (self.q_proj(x), self.k_proj(context), self.v_proj(context))
        )
        weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).flatten(2))


class PromptLayer(nn.Module):
    """Cross-attention, then an MLP."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.cross_attn = PlainCrossAttention(dims)
        self.norm1, self.norm3 = nn.LayerNorm(dims), nn.LayerNorm(dims)
        self.mlp = nn.Sequential(
            nn.Linear(dims, 4 * dims),
            QuickGELU(),
            nn.Dropout(0.0),
            nn.Linear(4 * dims, dims),
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map (N, K, E) -> (N, K, E)."""
        x = x + self.cross_attn(self.norm1(x), context)
        return x + self.mlp(self.norm3(x))


class PlainXCLIP(nn.Module):
    """X-CLIP with the parameters of the official checkpoints.

    Args:
        sizes: Sizes of all parts.
        num_frames: Frames T of a video.
    """

    def __init__(self, sizes: Geometry, num_frames: int) -> None:
        super().__init__()
        dims, text_dims, length = sizes.out_dims, sizes.text_dims, sizes.context_length
        self.visual = Visual(sizes, num_frames)
        self.mit = MIT(sizes, num_frames)
        mask = torch.full((length, length), float('-inf')).triu(1)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(
            *(Block(text_dims, mask) for _ in range(sizes.text_depth))
        )
        self.token_embedding = nn.Embedding(sizes.vocab_size, text_dims)
        self.positional_embedding = nn.Parameter(torch.empty(length, text_dims))
        self.ln_final = nn.LayerNorm(text_dims)
        self.text_projection = nn.Parameter(torch.empty(text_dims, dims))
        self.logit_scale = nn.Parameter(torch.empty(()))
        self.prompts_visual_ln = nn.LayerNorm(sizes.embed_dims)
        self.prompts_visual_proj = nn.Parameter(torch.empty(sizes.embed_dims, dims))
        self.prompts_generator = nn.Module()
        self.prompts_generator.norm = nn.LayerNorm(dims)
        self.prompts_generator.decoder = nn.ModuleList(
            PromptLayer(dims) for _ in range(sizes.prompt_depth)
        )
        self.prompts_generator.alpha = nn.Parameter(torch.empty(dims))

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Map token ids (K, S) -> (K, E)."""
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        x = self.transformer.resblocks(x.permute(1, 0, 2)).permute(1, 0, 2)
        x = self.ln_final(x)[torch.arange(len(x)), tokens.argmax(dim=-1)]
        return x @ self.text_projection

    def encode_video(self, video: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, T, 3, H, W) -> video embeddings (N, E), patch tokens (N, T, L, D)."""
        frame_embeds, tokens = self.visual(video)
        return self.mit(frame_embeds), tokens

    def forward(self, video: Tensor, text: Tensor) -> Tensor:
        """Score videos (N, T, 3, H, W) against class features (K, E) -> (N, K)."""
        embed, tokens = self.encode_video(video)
        context = self.prompts_visual_ln(tokens) @ self.prompts_visual_proj
        context = self.prompts_generator.norm(context.mean(dim=1))
        text = text.expand(len(video), -1, -1)
        prompt = text
        for layer in self.prompts_generator.decoder:
            prompt = layer(prompt, context)
        text = text + self.prompts_generator.alpha * prompt
        embed = embed / embed.norm(dim=-1, keepdim=True)
        text = text / text.norm(dim=-1, keepdim=True)
        return torch.einsum('nd,nkd->nk', embed, self.logit_scale.exp() * text)
