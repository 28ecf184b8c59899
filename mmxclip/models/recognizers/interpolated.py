"""Learning at the weights, and between them and the start."""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor
from torch.func import functional_call

from mmxclip.checkpoints.parts import fresh_names
from mmxclip.models.recognizers.anchored import AnchoredRecognizer


@MODELS.register_module()
class InterpolatedRecognizer(AnchoredRecognizer):
    """Learn so that weights nearer to the start do, too: Open-VCLIP's regularisation.

    ``L(w) + weight * L(a * start + (1 - a) * w)`` with a drawn from [0, ``largest``)
    at each step. The second gradient moves w as if it were taken there, which the
    paper writes as a factor 1 / (1 - a). Only what CLIP has is interpolated, see
    :class:`mmxclip.checkpoints.average.Interpolation`. A step takes twice the time.

    Args:
        largest: The largest share of the start, in (0, 1).
        weight: Weight of the second loss.
        **kwargs: See :class:`AnchoredRecognizer`.

    Raises:
        ValueError: ``largest`` is not in (0, 1), or blocks are computed again
            (``with_cp``), which would be at other weights.

    References:
        Weng et al., "Open-VCLIP: Transforming CLIP to an Open-Vocabulary Video Model
        via Interpolated Weight Optimization", ICML 2023
        (https://arxiv.org/abs/2302.00624)
    """

    def __init__(
        self, *, largest: float = 0.6, weight: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < largest < 1:
            raise ValueError(f'largest must be in (0, 1), got {largest!r}.')
        if any(getattr(module, 'with_cp', False) for module in self.modules()):
            raise ValueError(
                'InterpolatedRecognizer cannot compute blocks again: set with_cp=False '
                'of backbone and text encoder.'
            )
        self.largest = largest
        self.weight = weight

    def loss(
        self, inputs: Tensor, data_samples: SampleList, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            inputs: Preprocessed videos (N, V, 3, T, H, W).
            data_samples: With labels.
            **kwargs: Not used.

        Returns:
            dict: Those of the head, and ``loss_interpolated``.
        """
        losses = super().loss(inputs, data_samples, **kwargs)
        share = self.largest * torch.rand((), device=inputs.device)
        given = (inputs,), dict(mode='tensor', stage='head')
        logits = functional_call(self, self._towards_start(share), *given)
        again = self.cls_head.loss_by_feat(logits, data_samples)
        return losses | dict(loss_interpolated=self.weight * again['loss_cls'])

    def _towards_start(self, share: Tensor) -> dict[str, Tensor]:
        start = dict(self.start.named_parameters())
        fresh = fresh_names(self)
        return {
            name: parameter + share * (start[name] - parameter.detach())
            for name, parameter in self.named_parameters()
            if parameter.requires_grad and name not in fresh
        }
