"""Accuracy that counts every video once, undecodable ones as wrong."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.evaluation import AccMetric
from mmaction.registry import METRICS
from mmengine.logging import print_log

from mmxclip.evaluation.calibration import merge_views


@METRICS.register_module()
class VideoAccMetric(AccMetric):
    """``AccMetric`` that says of how many videos, and misses no undecodable one.

    A video that the pipeline marked as ``undecodable`` has meaningless scores: it
    counts as wrong in every accuracy, its path is logged and their number reported.
    Of equal scores the first class leads, as in ``argmax``, whatever the metric.
    Logits of single views (``average_clips=None``) count as the mean of their
    probabilities. ``mean1`` is the mean over the classes that have videos; the parent's
    also counts classes without any, as 0, as soon as one is predicted.

    Adds to the accuracies of the parent (``acc/top1``, ``acc/top5``, ``acc/mean1``):

    - ``acc/num_videos``: videos that were counted, each once on any number of
      processes.
    - ``acc/undecodable``: how many of them could not be decoded.

    Args: as for :class:`mmaction.evaluation.AccMetric`.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep scores and label of every video, and whether it was decoded."""
        super().process(data_batch, [_merged(sample) for sample in data_samples])
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
        metrics = super().compute_metrics([_without_scores(r) for r in results])
        # MMEngine's log of a test writes null for integers.
        counts = dict(num_videos=float(len(results)), undecodable=float(len(lost)))
        return metrics | counts

    def calculate(
        self, preds: list[np.ndarray], labels: list[int | np.ndarray]
    ) -> dict[str, float]:
        """Compute the accuracies of scores, which are NaN for undecodable videos.

        Raises:
            ValueError: Videos have several classes each, which only the average
                precisions can count.
        """
        one_class = {'top_k_accuracy', 'mean_class_accuracy'} & set(self.metrics)
        if one_class and isinstance(labels[0], np.ndarray):
            raise ValueError(
                f'{" and ".join(sorted(one_class))} count videos of one class each, '
                'but here are some of several (multi_class=True); set '
                "metric_list='mean_average_precision' of the evaluator"
            )
        scores = np.stack(preds)
        lowest = float(np.finfo(scores.dtype).min)  # for the average precisions
        metrics = super().calculate(list(np.nan_to_num(scores, nan=lowest)), labels)
        topk = {name: int(name[3:]) for name in metrics if name.startswith('top')}
        if one_class:
            classes = np.array(labels)
            ranks = _ranks(scores, classes)
            metrics |= {name: float((ranks < k).mean()) for name, k in topk.items()}
        if 'mean1' in metrics:
            recalls = [(ranks[classes == c] < 1).mean() for c in np.unique(classes)]
            metrics['mean1'] = float(np.mean(recalls))
        return metrics


def _merged(sample: dict) -> dict:
    """Merge the scores of views that the model has left single."""
    plain = dict(sample)  # which tells the scores of an undecodable video, too
    return plain | dict(pred_score=merge_views(plain['pred_score']))


def _without_scores(result: dict) -> dict:
    """Take the scores from an undecodable video."""
    if not result['lost']:
        return result
    return result | dict(pred=np.full_like(result['pred'], np.nan))


def _ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the place of the true class, from 0; infinite without scores.

    Args:
        scores: Of N videos and K classes, (N, K).
        labels: True classes, (N,).
    """
    order = np.argsort(-scores, axis=1, kind='stable')
    found = (order == labels[:, None]) & ~np.isnan(scores).any(axis=1, keepdims=True)
    return np.where(found.any(axis=1), found.argmax(axis=1), np.inf)
