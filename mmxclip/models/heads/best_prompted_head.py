"""Prompts for the best classes only: an approximation for long class lists."""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from mmxclip.models.class_texts import ClassTexts
from mmxclip.models.heads.xclip_head import XCLIPHead
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class BestPromptedHead(XCLIPHead):
    """An :class:`XCLIPHead` that, in testing, prompts only each video's best classes.

    All classes are scored without prompts first; the ``prompt_best`` of them that
    score best, over all views of a video and all templates, get prompts and the logits
    of the full head. The others keep their order without prompts, below these. Training
    is that of the full head.

    Args:
        classes: See :class:`XCLIPHead`.
        prompt_best: Classes of a video that get prompts.
        **kwargs: See :class:`XCLIPHead`. The prompt learner must take class features
            of each video (N, K, E), as ``VideoSpecificPrompt`` does.
    """

    def __init__(self, classes: Any, *, prompt_best: int = 64, **kwargs: Any) -> None:
        check_count('prompt_best', prompt_best)
        super().__init__(classes, **kwargs)
        self.prompt_best = prompt_best

    def predict(
        self,
        feats: Tensor | tuple[Tensor, Tensor],
        data_samples: SampleList,
        **kwargs: Any,
    ) -> SampleList:
        """Predict videos, each of which has the same number of views in ``feats``."""
        rows = feats if isinstance(feats, Tensor) else feats[0]
        views = len(rows) // len(data_samples)
        return super().predict(feats, data_samples, num_views=views, **kwargs)

    def forward(
        self,
        feats: Tensor | tuple[Tensor, Tensor],
        *,
        texts: ClassTexts | None = None,
        num_views: int = 1,
        **kwargs: Any,
    ) -> Tensor:
        """Score videos against all classes.

        Args:
            feats: See :class:`XCLIPHead`.
            texts: See :class:`XCLIPHead`.
            num_views: Rows of ``feats`` that are views of one video.
            **kwargs: See :class:`XCLIPHead`.

        Returns:
            Tensor: float32 logits (N, K).
        """
        embedding, context = self.prepare(feats)
        text = self.text_features(texts)  # (P, K, E)
        if self.prompt is None or self.training or self.prompt_best >= text.shape[1]:
            return self.score(embedding, context, text)
        plain = torch.stack([self.similarity(embedding, one) for one in text]).mean(0)
        plain = plain.unflatten(0, (-1, num_views)).mean(dim=1)  # (videos, K)
        values, best = plain.topk(self.prompt_best)  # (videos, M), best first
        others = (plain - values[:, -1:]).repeat_interleave(num_views, dim=0)  # (N, K)
        best = best.repeat_interleave(num_views, dim=0)  # (N, M)
        logits = self.score(embedding, context, text[:, best])
        others = others + logits.amin(dim=1, keepdim=True)
        return others.scatter(1, best, logits)
