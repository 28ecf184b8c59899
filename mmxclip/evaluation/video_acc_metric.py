"""Accuracy that counts every video once, undecodable ones as wrong."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.logging import print_log


@METRICS.register_module()
class VideoAccMetric(AccMetric):
    """``AccMetric`` that says of how many videos, and misses no undecodable one.

    A video that the pipeline marked as ``undecodable`` has meaningless scores: it
    counts as wrong in every accuracy, its path is logged and their number reported.
    ``mean1`` is the mean over the classes that have videos; the parent's also counts
    classes without any, as 0, as soon as one is predicted.

    Adds to the accuracies of the parent (``acc/top1``, ``acc/top5``, ``acc/mean1``):

    - ``acc/num_videos``: videos that were counted, each once on any number of
      processes.
    - ``acc/undecodable``: how many of them could not be decoded.

    Args: as for :class:`mmaction.evaluation.AccMetric`.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep scores and label of every video, and whether it was decoded."""
        super().process(data_batch, data_samples)
        if not data_samples:
            return
        for result, sample in zip(
            self.results[-len(data_samples) :], data_samples, strict=True
        ):
            result['lost'] = bool(sample.get('undecodable', False))
            result['filename'] = sample.get('filename', 'a video of unknown name')

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Compute the accuracies.

        Args:
            results: What :meth:`process` kept, of all processes.

        Raises:
            ValueError: There is none.
        """
        if not results:
            raise ValueError(
                'no video was evaluated: the loader gave no batch. With drop_last it '
                'drops one that is smaller than batch_size.'
            )
        lost = [result for result in results if result['lost']]
        if lost:
            names = '\n  '.join(str(result['filename']) for result in lost)
            print_log(
                f'{len(lost)} of {len(results)} videos could not be decoded and '
                f'count as wrong:\n  {names}',
                logger='current',
                level=logging.WARNING,
            )
        metrics = super().compute_metrics([_disarm(result) for result in results])
        for name in metrics:
            # With k >= K classes the parent finds every label among the first k.
            if name.startswith('top') and int(name[3:]) >= len(results[0]['pred']):
                metrics[name] = 1 - len(lost) / len(results)
        if 'mean1' in metrics:
            metrics['mean1'] = _mean_class_accuracy(results)
        # MMEngine's log of a test writes null for integers.
        counts = dict(num_videos=float(len(results)), undecodable=float(len(lost)))
        return metrics | counts


def _disarm(result: dict) -> dict:
    """Let the true class of an undecodable video come last."""
    if not result['lost']:
        return result
    scores = np.zeros_like(result['pred'])
    scores[result['label']] = -1
    return result | dict(pred=scores)


def _mean_class_accuracy(results: list[dict]) -> float:
    hits: dict[int, list[bool]] = {}
    for result in results:
        hit = not result['lost'] and result['pred'].argmax() == result['label']
        hits.setdefault(result['label'], []).append(hit)
    return float(np.mean([np.mean(values) for values in hits.values()]))
