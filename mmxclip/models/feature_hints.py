"""What to build instead of a backbone whose features nothing of ours takes."""

from collections.abc import Sequence
from typing import TypeAlias

from torch import Tensor

Features: TypeAlias = Tensor | Sequence[Tensor]


def describe(feats: Features) -> str:
    """Return the shapes of features in words."""
    if isinstance(feats, Tensor):
        return f'features of shape {tuple(feats.shape)}'
    return f'features of shapes {", ".join(str(tuple(part.shape)) for part in feats)}'


def hint(feats: Features) -> str:
    """Return what to change for a head that needs one embedding a video.

    Args:
        feats: What a backbone, or the neck behind it, gave.
    """
    if not isinstance(feats, Tensor):
        if feats[0].ndim == 3:  # frame embeddings and patch tokens
            return "Merge the frames by a neck: neck=dict(type='MIT')."
        return (
            'They are of a backbone with several stages or pathways, such as SlowFast. '
            "Take one that gives one feature map, such as 'ResNet3dSlowOnly', or an "
            "image backbone in a 'FrameEncoder', with neck=dict(type='MIT')."
        )
    if feats.ndim == 4:
        channels = feats.shape[1]
        return (
            'They are of single frames, from an image backbone (Recognizer2D, as of '
            "TSN). Take type='Recognizer3D' with backbone=dict(type='FrameEncoder', "
            f'backbone=..., in_channels={channels}) around the image backbone and '
            "neck=dict(type='MIT')."
        )
    width = f', embed_dims={feats.shape[1]}' if feats.ndim == 5 else ''
    return (
        f"Merge frames and places by a neck: neck=dict(type='MIT'{width}); or set "
        "out_type='pooled' of XCLIPViT."
    )


def split_embedding(feats: Features, width: int) -> tuple[Tensor, Tensor | None]:
    """Split what a head is given into video embeddings (N, E) and, if any, tokens.

    Args:
        feats: Features of a video.
        width: E of the texts.

    Raises:
        ValueError: They are something else; says what would mend it.
    """
    parts = (feats, None) if isinstance(feats, Tensor) else feats
    if len(parts) != 2 or parts[0].ndim != 2:
        raise ValueError(
            f'XCLIPHead expects one embedding a video (N, {width}), got '
            f'{describe(feats)}. {hint(feats)}'
        )
    if parts[0].shape[1] != width:
        raise ValueError(
            f'Video embeddings are {parts[0].shape[1]} wide, text embeddings {width}: '
            'let arch of text encoder and backbone agree.'
        )
    return parts[0], parts[1]
