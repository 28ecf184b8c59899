"""Position embeddings for another number of patches or frames."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_spatial_pos_embed(pos_embed: Tensor, grid_size: int) -> Tensor:
    """Interpolate a square grid of position embeddings (bicubic).

    Args:
        pos_embed: (1 + h * h, D); the first row belongs to the class token and
            stays as it is.
        grid_size: Patches per side of the new grid, h'.

    Returns:
        Tensor: (1 + h' * h', D); ``pos_embed`` itself if h' equals h.

    Raises:
        ValueError: The old grid is not a square.
    """
    num_patches = pos_embed.shape[0] - 1
    old_size = round(num_patches**0.5)
    if old_size**2 != num_patches:
        raise ValueError(
            f'Only square grids can be resized, got {num_patches} patch positions.'
        )
    if old_size == grid_size:
        return pos_embed
    grid = pos_embed[1:].float().unflatten(0, (1, old_size, old_size))
    grid = F.interpolate(
        grid.permute(0, 3, 1, 2),
        size=(grid_size, grid_size),
        mode='bicubic',
        align_corners=False,
        antialias=True,
    )
    grid = grid.flatten(2).squeeze(0).t().to(pos_embed.dtype)
    return torch.cat([pos_embed[:1], grid])


def resize_temporal_pos_embed(pos_embed: Tensor, num_frames: int) -> Tensor:
    """Interpolate the position embeddings of frames (linear).

    Args:
        pos_embed: (1, T, E).
        num_frames: New number of frames, T'.

    Returns:
        Tensor: (1, T', E); ``pos_embed`` itself if T' equals T.
    """
    # An exported graph takes any number of frames; for T frames it changes nothing.
    if not torch.compiler.is_exporting() and pos_embed.shape[1] == num_frames:
        return pos_embed
    resized = F.interpolate(
        pos_embed.float().transpose(1, 2),
        size=num_frames,
        mode='linear',
        align_corners=False,
    )
    return resized.transpose(1, 2).to(pos_embed.dtype)
