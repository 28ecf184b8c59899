"""Prompts for the best classes only: an approximation for long class lists."""

from typing import Any

from mmaction.registry import MODELS
from torch import Tensor

from mmxclip.models.heads.xclip_head import XCLIPHead
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class BestPromptedHead(XCLIPHead):
    """An :class:`XCLIPHead` that, in testing, prompts only each video's best classes.

    All classes are scored without prompts first; the ``prompt_best`` of them that
    score best get prompts and the scores of the full head. The others keep their order
    without prompts, below these. So the best class is that of the full head whenever
    that one is among the chosen. Training is that of the full head.

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

    def _score(self, video: Tensor, text: Tensor, context: Tensor | None) -> Tensor:
        if self.prompt is None or self.training or self.prompt_best >= len(text):
            return super()._score(video, text, context)
        plain = self.similarity(video, text)  # (N, K)
        values, best = plain.topk(self.prompt_best)  # (N, M), best first
        logits = self.similarity(video, self.prompt(text[best], context))
        others = plain - values[:, -1:] + logits.amin(dim=1, keepdim=True)
        return others.scatter(1, best, logits)
