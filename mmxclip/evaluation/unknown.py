"""How well scores tell videos of known classes from those of none of them."""

import math

import torch
from torch import Tensor

from mmxclip.evaluation.calibration import is_probability, to_probabilities


def confidences(scores: Tensor) -> dict[str, float]:
    """Return by which numbers a video may be known, each higher for known ones.

    Args:
        scores: What a test gives of a video, see ``log_scores``.

    Returns:
        dict: ``probability``, the highest; of logits also ``logit``, the highest, and
        ``energy``, the logarithm of the sum of their exponentials (the negative of the
        energy), both of the mean over the views. Probabilities do not tell them.

    References:
        https://arxiv.org/abs/1610.02136 (probability),
        https://arxiv.org/abs/1911.11132 (logit),
        https://arxiv.org/abs/2010.03759 (energy)
    """
    scores = torch.as_tensor(scores).double()
    if is_probability(scores):
        return dict(probability=float(scores.max()))
    views = torch.atleast_2d(scores)
    mean = views.mean(dim=0)
    return dict(
        probability=float(to_probabilities(views).max()),
        logit=float(mean.max()),
        energy=float(mean.logsumexp(dim=0)),
    )


def auroc(known: Tensor, unknown: Tensor) -> float:
    """Return how often a known video has a higher score than an unknown one.

    Args:
        known: Scores (N,).
        unknown: Scores (M,). Of equal ones, half count.
    """
    ordered = unknown.sort().values
    below = torch.searchsorted(ordered, known.contiguous())
    not_above = torch.searchsorted(ordered, known.contiguous(), right=True)
    return float((below + not_above).double().mean() / (2 * len(unknown)))


def false_positive_rate(
    known: Tensor, unknown: Tensor, accepted: float = 0.95
) -> float:
    """Return the share of unknown videos accepted where so many known ones are.

    Args:
        known: Scores (N,).
        unknown: Scores (M,).
        accepted: Share of the known videos, at least.
    """
    count = math.ceil(accepted * len(known))
    threshold = known.sort(descending=True).values[count - 1]
    return float((unknown >= threshold).double().mean())


def threshold_at(unknown: Tensor, rate: float) -> float:
    """Return the lowest threshold that at most this share of unknown videos reaches.

    Args:
        unknown: Probabilities (M,).
        rate: In [0, 1).
    """
    first_refused = unknown.sort(descending=True).values[
        math.floor(rate * len(unknown))
    ]
    # Predicting computes in float32, other batches differ in the last bits.
    return min(float(first_refused) + 1e-6, 1.0)
