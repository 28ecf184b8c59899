"""Stochastic depth.

References:
    Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016.
"""

from torch import Tensor, nn


class DropPath(nn.Module):
    """Drop a residual branch for whole samples (first axis) while training.

    Args:
        drop_prob: Probability of dropping a sample's branch, in [0, 1).
            Branches that stay are scaled by ``1 / (1 - drop_prob)``.

    Raises:
        ValueError: ``drop_prob`` is outside [0, 1).
    """

    def __init__(self, drop_prob: float) -> None:
        super().__init__()
        if not 0.0 <= drop_prob < 1.0:
            raise ValueError(f'drop_prob must lie in [0, 1), got {drop_prob}.')
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Drop samples of ``x`` (N, ...) in training; identity in evaluation."""
        if not self.training:
            return x
        keep_prob = 1.0 - self.drop_prob
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1))
        return x * mask.bernoulli_(keep_prob).div_(keep_prob)

    def extra_repr(self) -> str:
        """Show the probability in ``repr``."""
        return f'drop_prob={self.drop_prob}'


def drop_path(drop_prob: float) -> nn.Module:
    """Return ``DropPath(drop_prob)``, or ``nn.Identity()`` where nothing is dropped."""
    return DropPath(drop_prob) if drop_prob != 0.0 else nn.Identity()


def drop_path_schedule(drop_path_rate: float, depth: int) -> list[float]:
    """Return each block's rate, rising linearly from 0 to ``drop_path_rate``."""
    return [drop_path_rate * i / max(depth - 1, 1) for i in range(depth)]
