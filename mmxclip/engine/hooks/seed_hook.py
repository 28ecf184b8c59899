"""Training that draws the same after it was interrupted."""

from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.loops import EpochBasedTrainLoop

from mmxclip.utils.seeding import seed_from


@HOOKS.register_module()
class SeedHook(Hook):
    """Let all draws of an iteration depend on its number and the seed alone.

    Dropout, drop path and the mixing of videos draw alike then whether a training was
    interrupted before or not; each process draws for itself where ``diff_rank_seed``
    says so. The draws for samples need ``SeededBatchSampler``, with which a training
    also resumes in the middle of an epoch at the right sample.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._epoch = -1
        self._first = 0  # iteration that the epoch began with
        self._done = 0  # batches of the epoch that were done before the interruption

    def before_train_epoch(self, runner: Runner) -> None:
        """Leave out what was done before the interruption."""
        self._epoch, self._first = runner.epoch, runner.iter - self._done
        batches = runner.train_loop.dataloader.batch_sampler
        if isinstance(runner.train_loop, EpochBasedTrainLoop) and self._done:
            if not hasattr(batches, 'skip'):
                raise ValueError(
                    f'the checkpoint is of the middle of epoch {self._epoch + 1}: to '
                    'resume there, set train_dataloader.batch_sampler.type='
                    'SeededBatchSampler, or resume from one of the end of an epoch'
                )
            batches.skip = self._done
        self._done = 0

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed what the step draws."""
        torch.manual_seed(seed_from(runner.seed, runner.iter))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note the seed of the order, and how much of an epoch is done."""
        meta = checkpoint['meta']
        in_epoch = meta['epoch'] == self._epoch
        meta['epoch_iter'] = meta['iter'] - self._first if in_epoch else 0
        meta['sampler_seed'] = getattr(_sampler(runner), 'seed', None)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the order of a training that is resumed."""
        if not runner._resume or runner._has_loaded:
            return
        meta = checkpoint.get('meta') or {}
        self._done = meta.get('epoch_iter', 0)
        if meta.get('sampler_seed') is not None:
            _sampler(runner).seed = meta['sampler_seed']


def _sampler(runner: Runner) -> Any:
    return runner.train_loop.dataloader.batch_sampler.sampler
