"""Learning rate schedule of the X-CLIP recipe."""

import math
from typing import Any

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.logging import print_log
from mmengine.optim import BaseOptimWrapper
from mmengine.optim.scheduler import _ParamScheduler
from torch.optim import Optimizer


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(_ParamScheduler):
    """Linear warm-up from 0 into the middle of a cosine over the whole run.

    The cosine starts with the run, not where the warm-up ends, so the rate drops a
    little at that point. All groups end at the same minimum, a share of the smallest
    rate: that of a group or, where there are several, the optimizer's own. MMEngine's
    ``LinearLR`` and ``CosineAnnealingLR``, chained, shift the cosine; started together,
    they multiply.

    A training that resumes with another length than before follows the cosine of the
    new length from there on.

    Args:
        optimizer: The optimizer or its wrapper.
        warmup: Length of the warm-up, in steps.
        end: Length of the run, in steps. Default in a config: the whole training.
        min_ratio: Minimum rate divided by the smallest initial rate.
        last_step: Index of the last step, for resuming without a state.
        by_epoch: Whether a step is an epoch. ``convert_to_iter_based=True`` in the
            config turns epochs into iterations.
        verbose: Whether every rate is printed.

    Raises:
        ValueError: The run has no step, or the warm-up is negative, not shorter than
            the run, or would keep the rate at 0 for a whole epoch.

    Source: the settings that microsoft/VideoX, X-CLIP/utils/optimizer.py gives to
    timm's ``CosineLRScheduler``. That code sets each rate one iteration later.
    """

    def __init__(
        self,
        optimizer: Optimizer | BaseOptimWrapper,
        warmup: float,
        end: int,
        *,
        min_ratio: float = 0.01,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        _check_warmup(warmup, end, 'epochs' if by_epoch else 'iterations')
        if by_epoch and warmup:
            raise ValueError(
                'a warm-up by epochs starts with an epoch at rate 0: set '
                'param_scheduler.convert_to_iter_based=True, so that it rises with '
                'each iteration'
            )
        self.warmup = warmup
        self.min_ratio = min_ratio
        super().__init__(
            optimizer,
            'lr',
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose,
        )

    @classmethod
    def build_iter_from_epoch(
        cls,
        optimizer: Optimizer | BaseOptimWrapper,
        warmup: float,
        end: int,
        *,
        epoch_length: int,
        by_epoch: bool = True,
        **kwargs: Any,
    ) -> 'WarmupCosineLR':
        """Build the scheduler in iterations from lengths in epochs."""
        _check_warmup(warmup, end, 'epochs')
        return cls(
            optimizer,
            warmup * epoch_length,
            end * epoch_length,
            by_epoch=False,
            **kwargs,
        )

    def load_state_dict(self, state_dict: dict) -> None:
        """Go on from a state, on the curve that the config asks for now.

        Args:
            state_dict: Of :meth:`state_dict`, perhaps with another curve.
        """
        curve = dict(end=self.end, warmup=self.warmup, min_ratio=self.min_ratio)
        before = {key: state_dict[key] for key in curve}
        super().load_state_dict(state_dict | curve)
        if before == curve:
            return
        # Before, MMEngine counted no step that lies behind the end.
        self.last_step = min(self._global_step, self.end - 1)
        for group, value in zip(
            self.optimizer.param_groups, self._get_value(), strict=True
        ):
            group['lr'] = value
        self._last_value = self._get_value()
        print_log(
            f'the learning rate follows other settings than before, {curve} in place '
            f'of {before}: it goes on from {self._last_value[0]:.3g}',
            'current',
        )

    def _get_value(self) -> list[float]:
        step, lowest = self.last_step, self.min_ratio * min(self.base_values)
        if step < self.warmup:
            return [base * step / self.warmup for base in self.base_values]
        height = (1 + math.cos(math.pi * step / self.end)) / 2
        return [lowest + (base - lowest) * height for base in self.base_values]


def _check_warmup(warmup: float, end: int, unit: str) -> None:
    if end < 1:
        raise ValueError(
            f'the run has {end} {unit}: the training loader gives no batch, which it '
            'does with drop_last and fewer videos than batch_size; or max_epochs is 0'
        )
    if not 0 <= warmup < end:
        raise ValueError(
            f'warmup must be in [0, {end}), shorter than the run of {end} {unit}, got '
            f'{warmup}: set param_scheduler.warmup, or train longer'
        )
