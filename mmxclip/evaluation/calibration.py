"""How well probabilities agree with how often they are right, and their temperature."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

_LEAST, _MOST = 0.01, 100.0  # temperatures


class Reliability(NamedTuple):
    """Videos by the confidence in them, one row a bin of equal width.

    Attributes:
        count: Videos (B,).
        confidence: Mean confidence (B,), 0 where there is no video.
        accuracy: Share of those that are right (B,), 0 where there is no video.
    """

    count: Tensor
    confidence: Tensor
    accuracy: Tensor


def log_scores(scores: Tensor) -> Tensor:
    """Return logits of a video's views, (K,) or (V, K) -> (V, K), float64.

    Args:
        scores: What a test dumps: logits of V views (``average_clips=None``), their
            mean (``'score'``), or the mean of their probabilities (``'prob'``). The
            logarithm of the latter is logits but for a constant if there is one view,
            which a softmax does not see; of several views, those of their mean.
    """
    scores = torch.as_tensor(scores).double()
    if is_probability(scores):
        scores = scores.clamp(min=torch.finfo(torch.float32).tiny).log()
    return torch.atleast_2d(scores)


def is_probability(scores: Tensor) -> bool:
    """Whether scores (K,) are probabilities of classes, and no logits."""
    sum_is_one = abs(float(scores.sum()) - 1) < 1e-3
    return scores.ndim == 1 and sum_is_one and bool((scores >= 0).all())


def to_probabilities(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return mean probabilities of views, (..., V, K) -> (..., K)."""
    return (logits / temperature).softmax(dim=-1).mean(dim=-2)


def merge_views(scores: Tensor) -> Tensor:
    """Return scores (K,) of a video: as they are, or of logits of its views (V, K)."""
    return to_probabilities(scores) if scores.ndim == 2 else scores


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature under which the labels are most probable.

    Args:
        logits: Of N videos and V views (N, V, K), whose probabilities are averaged.
        labels: Classes (N,).

    Raises:
        ValueError: There is none: every video is recognised, or none better than by
            chance.

    References:
        Guo et al., On Calibration of Modern Neural Networks
        (https://arxiv.org/abs/1706.04599), section 4.2.
    """

    def loss(log_temperature: float) -> float:
        found = to_probabilities(logits, math.exp(log_temperature))
        return float(F.nll_loss(found.clamp(min=1e-300).log(), labels))

    bounds = math.log(_LEAST), math.log(_MOST)
    best = float(minimize_scalar(loss, bounds=bounds, method='bounded').x)
    if loss(best) > min(map(loss, bounds)) - 1e-9:
        raise ValueError(
            f'no temperature fits these {len(labels)} videos: all are recognised, or '
            'their scores mean nothing; take more videos, and none of the training'
        )
    return math.exp(best)


def reliability(confidence: Tensor, right: Tensor, bins: int = 15) -> Reliability:
    """Sort videos into bins of confidence.

    Args:
        confidence: Probabilities (N,).
        right: Whether what they are the probability of is true (N,).
        bins: Number of bins between 0 and 1.
    """
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    count = torch.bincount(place, minlength=bins)
    sums = (
        torch.bincount(place, weights=values.double(), minlength=bins)
        for values in (confidence, right)
    )
    return Reliability(count, *(each / count.clamp(min=1) for each in sums))


def calibration_error(confidence: Tensor, right: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error; arguments as for :func:`reliability`."""
    found = reliability(confidence, right, bins)
    gaps = (found.confidence - found.accuracy).abs()
    return float((gaps * found.count).sum() / found.count.sum())


def summary(probabilities: Tensor, labels: Tensor, bins: int = 15) -> dict[str, float]:
    """Return what is said about the probabilities of a list of videos.

    Args:
        probabilities: (N, K).
        labels: Classes (N,).
        bins: See :func:`reliability`.

    Returns:
        dict: ``ece``, that of the best class; ``classwise_ece``, the mean of those of
        every class; ``brier``, the mean squared distance from certainty of the right
        class, from 0 to 2; ``nll``, the mean negative logarithm of its probability.

    References:
        Class-wise: Kull et al. (https://arxiv.org/abs/1910.12656), section 2.
    """
    confidence, best = probabilities.max(dim=1)
    truth = F.one_hot(labels, probabilities.shape[1])
    pairs = zip(probabilities.T, truth.T, strict=True)
    by_class = [calibration_error(each, true, bins) for each, true in pairs]
    log = probabilities.clamp(min=1e-300).log()
    return dict(
        ece=calibration_error(confidence, best == labels, bins),
        classwise_ece=sum(by_class) / len(by_class),
        brier=float((probabilities - truth).square().sum(dim=1).mean()),
        nll=float(F.nll_loss(log, labels)),
    )
