"""Head for videos of which each may have several classes."""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from mmxclip.models.heads.xclip_head import XCLIPHead


@MODELS.register_module()
class MultiLabelHead(XCLIPHead):
    """An :class:`XCLIPHead` that answers yes or no to every class.

    Scores are ``sigmoid(logits + logit_bias)``, each class by itself; they are trained
    with binary cross entropy and averaged over the views of a video. For lists of
    several labels a line, see docs/howto/custom_dataset.md, 'Several labels'.

    Args:
        classes: See :class:`XCLIPHead`.
        logit_bias: Added to the logits, so that training starts near 'no' for what a
            video does not show. The default fits CLIP's weights, which scale cosines
            by 100: a text is at about 0.2 from any video, at 0.3 from its own. ``None``
            for that of a SigLIP's checkpoint.
        loss_cls: Config of a loss of logits (N, K) and labels 0 and 1 (N, K).
        **kwargs: See :class:`XCLIPHead`.
    """

    def __init__(
        self,
        classes: Any,
        *,
        logit_bias: float | None = -25.0,
        loss_cls: dict = dict(type='BCELossWithLogits'),  # noqa: B006
        **kwargs: Any,
    ) -> None:
        super().__init__(classes, loss_cls=loss_cls, **kwargs)
        self.multi_class = True
        self.logit_bias: Tensor | float = (
            nn.Parameter(torch.tensor(0.0), requires_grad=False)
            if logit_bias is None
            else logit_bias
        )

    def loss_by_feat(
        self, cls_scores: Tensor, data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Compute the loss of logits (N, K).

        Raises:
            ValueError: Samples have one label, or labels of other classes.
        """
        labels = torch.stack([sample.gt_label for sample in data_samples])
        if labels.shape != cls_scores.shape:
            raise ValueError(
                f'MultiLabelHead has {self.num_classes} classes, the labels of a video '
                f'{labels.shape[1]}: set multi_class=True and num_classes='
                f'{self.num_classes} of the data set.'
            )
        target = labels.to(cls_scores)
        if self.label_smooth_eps:
            target = target + self.label_smooth_eps * (0.5 - target)
        return dict(loss_cls=self.loss_cls(cls_scores + self.logit_bias, target))

    def log_odds(self, logits: Tensor) -> Tensor:
        """Return each class's log-odds against 'no', (N, K) -> (N, K)."""
        return logits + self.logit_bias

    def average_clip(self, cls_scores: Tensor, num_segs: int = 1) -> Tensor:
        """Turn logits of the views (N * views, K) into scores of the videos (N, K)."""
        views = cls_scores.unflatten(0, (-1, num_segs))
        if self.average_clips == 'prob':
            return (views + self.logit_bias).sigmoid().mean(dim=1)
        return super().average_clip(cls_scores, num_segs)
