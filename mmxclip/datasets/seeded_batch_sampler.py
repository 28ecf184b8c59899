"""Batches of samples that draw the same, whoever loads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mmaction.registry import DATA_SAMPLERS
from mmengine.dist import get_world_size
from torch.utils.data import BatchSampler

from mmxclip.utils.seeding import seed_from


@dataclass(frozen=True)
class SeededBatch:
    """Indices of a batch; to go through them seeds what is drawn for each.

    Data loaders fetch ``[dataset[index] for index in batch]``, in whatever process,
    so a sample finds the same random state in all of them.

    Args:
        seed: Of the sampler.
        draws: Epoch and index of each sample.
    """

    seed: int
    draws: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.draws)

    def __iter__(self) -> Iterator[int]:
        for epoch, index in self.draws:
            seed_from(self.seed, epoch, index)
            yield index


@DATA_SAMPLERS.register_module()
class SeededBatchSampler(BatchSampler):
    """Batches in which the draws for a sample depend on seed, epoch and index alone.

    It matters neither how many workers and processes share the samples nor what was
    loaded before, so that a resumed training draws as one that was never stopped. For
    any data set, and MMEngine's samplers. In a config it takes ``drop_last`` in place
    of the data loader::

        batch_sampler=dict(type='SeededBatchSampler', drop_last=True)

    Args:
        sampler: What gives the indices, with ``seed`` and, unless it is endless,
            ``epoch``. An endless one begins an epoch whenever all processes have
            taken as many samples as there are.
        batch_size: Samples of a batch.
        drop_last: Whether a last batch of fewer samples is left out.
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool = False) -> None:
        super().__init__(sampler, batch_size, drop_last)
        self.skip = 0  # batches that the next pass leaves out, without loading them

    def __iter__(self) -> Iterator[SeededBatch]:
        skip, self.skip = self.skip, 0
        first = getattr(self.sampler, 'epoch', 0)
        length, processes = len(self.sampler.dataset), get_world_size()
        for number, batch in enumerate(islice(super().__iter__(), skip, None), skip):
            taken = number * self.batch_size
            epochs = [
                first + (taken + i) * processes // length for i in range(len(batch))
            ]
            draws = tuple(zip(epochs, batch, strict=True))
            yield SeededBatch(self.sampler.seed, draws)
