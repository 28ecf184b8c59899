"""Classes by their scores."""

from mmengine.structures import BaseDataElement
from torch import Tensor


def ranked(pred: BaseDataElement) -> dict[str, float]:
    """Map class names to scores, best first.

    Args:
        pred: A prediction with ``pred_score`` and the names, ``classes``.
    """
    scores: Tensor = pred.pred_score
    order = scores.argsort(descending=True, stable=True).tolist()
    values = scores.tolist()
    return {pred.classes[i]: values[i] for i in order}
