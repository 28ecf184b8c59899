"""What is recognised how well, and taken for what: table and picture."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmaction.evaluation import ConfusionMatrix
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmxclip.evaluation.calibration import merge_views
from mmxclip.text import ClassSource, load_class_names
from mmxclip.utils.files import write_text
from mmxclip.utils.tables import to_csv

# Above this a picture has no room for names, nor cells for numbers.
_MOST_NAMES = 60
_MOST_NUMBERS = 20


@METRICS.register_module()
class ClassReport(BaseMetric):
    """Write a table of all classes and a picture of the confusion matrix.

    ``out_dir/per_class.csv`` has for each class its number of videos, how many were
    recognised, the accuracy, and what it was most often taken for;
    ``out_dir/confusion_matrix.png`` shows true against predicted classes.
    Undecodable videos count in the table, as not recognised, but not in the picture.

    Reports ``classes/worst``, the lowest accuracy of a class that has videos, and
    ``classes/never``, the number of classes never recognised.

    Args:
        out_dir: Folder of both files, made when absent; files there are replaced.
        classes: Names, as for ``load_class_names``; default: the numbers.
        collect_device: Where results of several processes are gathered.
        prefix: Of the reported names; default ``'classes'``.

    Raises:
        ValueError: A number of classes other than that of the scores, or a label
            beyond them, or several labels of a video.
    """

    default_prefix = 'classes'

    def __init__(
        self,
        out_dir: str | os.PathLike,
        classes: ClassSource | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.out_dir = Path(out_dir)
        self.classes = None if classes is None else load_class_names(classes)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the label and the best class of every video."""
        for sample in map(dict, data_samples):
            if len(sample['gt_label']) > 1:
                raise ValueError(
                    'ClassReport counts videos of one class each, but here are some of '
                    'several (multi_class=True); leave it out of the evaluators'
                )
            scores = merge_views(sample['pred_score'])
            lost = sample.get('undecodable', False)
            self.results.append(
                dict(
                    label=int(sample['gt_label']),
                    predicted=-1 if lost else int(scores.argmax()),
                    num_classes=len(scores),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write both files.

        Args:
            results: What :meth:`process` kept, of all processes.
        """
        num_classes = results[0]['num_classes']
        names = self.classes or [str(i) for i in range(num_classes)]
        if len(names) != num_classes:
            raise ValueError(
                f'ClassReport got {len(names)} names in classes, but the scores have '
                f'{num_classes} classes; give it those of the head'
            )
        labels = torch.tensor([result['label'] for result in results])
        if labels.max() >= num_classes:
            raise ValueError(
                f'ClassReport got the label {labels.max()}, but the scores have '
                f'{num_classes} classes, from 0; list and head do not fit together'
            )
        predicted = torch.tensor([result['predicted'] for result in results])
        decoded = predicted >= 0
        matrix = ConfusionMatrix.calculate(
            predicted[decoded], labels[decoded], num_classes
        )
        videos = torch.bincount(labels, minlength=num_classes)
        self.out_dir.mkdir(parents=True, exist_ok=True)
        write_per_class(self.out_dir / 'per_class.csv', names, matrix, videos)
        draw_confusion(self.out_dir / 'confusion_matrix.png', names, matrix)
        hits = matrix.diag()[videos > 0]
        accuracy = hits / videos[videos > 0]
        return dict(worst=accuracy.min().item(), never=int((hits == 0).sum()))


def write_per_class(
    path: Path, names: Sequence[str], matrix: Tensor, videos: Tensor
) -> None:
    """Write one row per class.

    Args:
        path: The csv file.
        names: K class names.
        matrix: Videos of true class (row) taken for a class (column), (K, K).
        videos: Videos of each class, also those not in the matrix, (K,).
    """
    rows: list[list] = [
        ['label', 'name', 'videos', 'correct', 'accuracy', 'taken_for', 'times']
    ]
    for label, (name, row) in enumerate(zip(names, matrix, strict=True)):
        correct, count = int(row[label]), int(videos[label])
        others = row.clone()
        others[label] = 0
        other = int(others.argmax())
        taken_for = names[other] if others[other] else ''
        accuracy = f'{correct / count:.4f}' if count else ''
        rows.append(
            [label, name, count, correct, accuracy, taken_for, int(others[other])]
        )
    write_text(path, to_csv(rows), overwrite=True)


def draw_confusion(path: Path, names: Sequence[str], matrix: Tensor) -> None:
    """Draw the confusion matrix, each row divided by its sum when K is large.

    Args:
        path: The picture.
        names: K class names.
        matrix: Videos of true class (row) taken for a class (column), (K, K).
    """
    from matplotlib import pyplot  # noqa: PLC0415 (slow, and needed only here)

    few = len(names) <= _MOST_NUMBERS
    shown = matrix if few else matrix / matrix.sum(dim=1, keepdim=True).clamp(min=1)
    figure = ConfusionMatrix.plot(
        shown,
        include_values=few,
        classes=list(names) if len(names) <= _MOST_NAMES else None,
        show=False,
    )
    figure.savefig(path, dpi=120, bbox_inches='tight')
    pyplot.close(figure)
