"""Distillation from the frozen start."""

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from mmxclip.models.encode_video import encode_video
from mmxclip.models.recognizers.anchored import AnchoredRecognizer


class ResidualProjection(nn.Module):
    """``z + alpha * W_2 GELU(W_1 z)``, W_2 zero at the start.

    Args:
        dims: Width E of the embeddings.
        alpha: How far the result may leave z.
    """

    def __init__(self, dims: int, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.fc_1 = nn.Linear(dims, dims)
        self.fc_2 = nn.Linear(dims, dims)
        nn.init.zeros_(self.fc_2.weight)
        nn.init.zeros_(self.fc_2.bias)

    def forward(self, z: Tensor) -> Tensor:
        """Map (..., E) -> (..., E)."""
        return z + self.alpha * self.fc_2(F.gelu(self.fc_1(z)))


@MODELS.register_module()
class DistilledRecognizer(AnchoredRecognizer):
    """Learn, and stay near the frozen start: FROSTER's residual feature distillation.

    Embeddings are not compared with the start's themselves, but behind a residual
    projection, which leaves room for what is new; it is needed in training only. The
    loss is the squared distance of directions, of videos and, where the text tower
    learns, of class texts; FROSTER's is that of the embeddings.

    Args:
        alpha: Weight of the residual.
        weight: Weight of the distances, compared with the loss of the head.
        **kwargs: See :class:`AnchoredRecognizer`.

    References:
        Huang et al., "FROSTER: Frozen CLIP Is A Strong Teacher for Open-Vocabulary
        Action Recognition", ICLR 2024 (https://arxiv.org/abs/2402.03241)
    """

    fresh_parameters = ('video_residual.*', 'text_residual.*')

    def __init__(self, *, alpha: float = 0.1, weight: float = 2.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.weight = weight
        dims = self.cls_head.in_channels
        self.video_residual = ResidualProjection(dims, alpha)
        self.text_residual = ResidualProjection(dims, alpha)
        self.text_residual.requires_grad_(not self.cls_head.text_encoder.frozen)

    def loss(
        self, inputs: Tensor, data_samples: SampleList, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            inputs: Preprocessed videos (N, V, 3, T, H, W).
            data_samples: With labels.
            **kwargs: Not used.

        Returns:
            dict: Those of the head, ``loss_distill_video`` and, where the text tower
            learns, ``loss_distill_text``.
        """
        head = self.cls_head
        feats, extra = self.extract_feat(inputs, data_samples=data_samples)
        embedding, context = head.prepare(feats)
        text = head.text_features()  # (P, K, E)
        losses = head.loss_by_feat(head.score(embedding, context, text), data_samples)
        with torch.no_grad():
            start, _ = encode_video(self.start, inputs)
        video = self.video_residual(embedding)
        losses['loss_distill_video'] = self.weight * distance(video, start)
        if not head.text_encoder.frozen:
            words = self.text_residual(text.mean(dim=0))
            with torch.no_grad():  # so that they are kept
                start = self.start.cls_head.text_features().mean(dim=0)
            losses['loss_distill_text'] = self.weight * distance(words, start)
        return losses | extra['loss_aux']


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean squared distance of directions, (N, E) and (N, E) -> ()."""
    one, other = (F.normalize(x.float(), dim=-1) for x in (one, other))
    return (one - other).square().sum(dim=-1).mean()
