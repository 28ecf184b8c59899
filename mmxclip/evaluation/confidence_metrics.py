"""Metrics of how sure a model is: rightly so, and of what it has no class for."""

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric

from mmxclip.evaluation.calibration import log_scores, summary, to_probabilities
from mmxclip.evaluation.unknown import auroc, confidences, false_positive_rate


@METRICS.register_module()
class CalibrationMetric(BaseMetric):
    """Whether probabilities say how often they are right; see :func:`summary`.

    Undecodable videos, whose scores mean nothing, are left out, and so are those of no
    class (:class:`UnknownMetric`).

    Args:
        bins: Of confidence, for the calibration errors.
        collect_device: Where results of several processes are gathered.
        prefix: Of the reported names; default ``'calibration'``.

    Raises:
        ValueError: A video has several classes; none could be decoded.
    """

    default_prefix = 'calibration'

    def __init__(
        self, bins: int = 15, collect_device: str = 'cpu', prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.bins = bins

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep probabilities and label of every video."""
        for sample in data_samples:
            if not sample.get('undecodable', False):
                scores = to_probabilities(log_scores(sample['pred_score'].cpu()))
                if (label := _label(sample)) < len(scores):
                    self.results.append((scores, label))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Compute all; ``results`` are what :meth:`process` kept, of all processes."""
        if not results:
            raise ValueError('CalibrationMetric got no video that could be decoded')
        scores, labels = zip(*results, strict=True)
        return summary(torch.stack(scores), torch.tensor(labels), self.bins)


@METRICS.register_module()
class UnknownMetric(BaseMetric):
    """How well videos of none of the classes are told from others.

    Those are the videos whose label is the number of classes or above. Reports for
    each number of :func:`confidences` the AUROC and the share of unknown videos that
    are accepted where 95 % of the known ones are (``unknown/auroc_probability``,
    ``unknown/fpr95_probability``, ...). Undecodable videos are left out.

    Args:
        collect_device: Where results of several processes are gathered.
        prefix: Of the reported names; default ``'unknown'``.

    Raises:
        ValueError: A video has several classes; all videos are known, or none.
    """

    default_prefix = 'unknown'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep how sure the model is of every video, and whether it is known."""
        for sample in data_samples:
            if not sample.get('undecodable', False):
                scores = sample['pred_score'].cpu()
                known = _label(sample) < scores.shape[-1]
                self.results.append((confidences(scores), known))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Compute all; ``results`` are what :meth:`process` kept, of all processes."""
        count = sum(known for _, known in results)
        if count in (0, len(results)):
            raise ValueError(
                f'UnknownMetric got {count} known and {len(results) - count} unknown '
                'videos, and compares both: an unknown one has a label that is the '
                'number of classes or above'
            )
        found = {}
        for name in results[0][0]:
            known, unknown = (
                torch.tensor(
                    [sure[name] for sure, is_known in results if is_known is k]
                )
                for k in (True, False)
            )
            found[f'auroc_{name}'] = auroc(known, unknown)
            found[f'fpr95_{name}'] = false_positive_rate(known, unknown)
        return found


def _label(sample: dict) -> int:
    label = torch.as_tensor(sample['gt_label'])
    if label.numel() > 1:
        raise ValueError(
            'videos of one class each are counted, but here are some of several '
            '(multi_class=True); leave this metric out of the evaluators'
        )
    return int(label)
