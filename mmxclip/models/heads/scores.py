"""What videos and classes have in common, in numbers."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mmxclip.layers import without_autocast


def cosines(video: Tensor, text: Tensor) -> Tensor:
    """Return cosines in float32: (N, E) and (N or 1, K, E), or (K, E) -> (N, K)."""
    # Half precision would cost the ranking more than the product costs time.
    with without_autocast(video.device):
        video, text = video.float(), text.float()
        norm = video.norm(dim=-1, keepdim=True) * text.norm(dim=-1)
        return (text @ video.unsqueeze(-1)).squeeze(-1) / norm


def odds_against_others(logits: Tensor) -> Tensor:
    """Return each class's log-odds against all others, (N, K) -> (N, K).

    Raises:
        ValueError: There is one class, which is always right.
    """
    num_classes = logits.shape[1]
    if num_classes == 1:
        raise ValueError('one class is always right; give several')
    same = torch.eye(num_classes, dtype=torch.bool, device=logits.device)
    others = logits.unsqueeze(1).masked_fill(same, -math.inf)  # (N, K, K)
    return logits - others.logsumexp(dim=2)


def smooth(target: Tensor, num_classes: int, eps: float) -> Tensor:
    """Mix labels (N,), or distributions (N, K), with the uniform one -> (N, K)."""
    target = F.one_hot(target, num_classes) if target.ndim == 1 else target
    return (1 - eps) * target + eps / num_classes
