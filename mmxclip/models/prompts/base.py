"""The interface of prompt learners."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmxclip.checkpoints import PretrainedPart


class PromptLearner(PretrainedPart, BaseModule):
    """Adapts class texts: before the text tower, behind it, or both.

    :class:`XCLIPHead` first lets :meth:`encode` turn token ids into class features,
    then calls the learner with these and the visual context. A new learner is a new
    file that overrides either.

    Attributes:
        needs_context: Whether :meth:`forward` needs visual context, which the neck
            has to give beside the video embedding then.
        learns_text: Whether :meth:`encode` has something to learn. If not, features
            of a frozen text tower are computed once and kept.
    """

    slot = 'cls_head.prompt.'
    fresh_parameters = ('*',)
    needs_context = False
    learns_text = False

    def encode(self, text_encoder: nn.Module, tokens: Tensor) -> Tensor:
        """Turn token ids (K, S) into class features (K, E) by the text tower."""
        return text_encoder(tokens)

    def forward(self, text: Tensor, context: Tensor | None = None) -> Tensor:
        """Adapt class features to each video.

        Args:
            text: Class features (K, E).
            context: What the neck gives beside the video embedding (N, T, L, D), or
                None where it gives nothing.

        Returns:
            Tensor: Class features of each video (N, K, E); or (K, E) where they are
            the same for all.
        """
        return text
