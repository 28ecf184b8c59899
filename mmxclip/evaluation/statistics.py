"""Averages as papers print them."""

import math
from collections.abc import Sequence


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation over splits or seeds.

    Args:
        values: One number per split or seed.

    Returns:
        The mean, and the standard deviation of exactly these values (divided by
        their number, not by one less), as the published codes compute it; None
        for a single value.

    Raises:
        ValueError: No values.

    Source: ``np.std`` in naver-ai/tc-clip, main.py.
    """
    if not values:
        raise ValueError('mean_std needs at least one value')
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, None
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def harmonic_mean(base: float, novel: float) -> float:
    """Harmonic mean of two accuracies; 0 when both are 0.

    Raises:
        ValueError: A negative accuracy.
    """
    if min(base, novel) < 0:
        raise ValueError(f'accuracies are not negative, got {base} and {novel}')
    return 2 * base * novel / (base + novel) if base + novel else 0.0
