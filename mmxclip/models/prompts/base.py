"""The interface of prompt learners."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmxclip.checkpoints.parts import PretrainedPart
from mmxclip.models.text_encoders import TextEncoder
from mmxclip.text import Classes


class PromptLearner(PretrainedPart, BaseModule):
    """Adapts class texts: before the text tower, behind it, or both.

    :class:`XCLIPHead` lets :meth:`encode` turn token ids into class features once for
    a class list, :meth:`prepare_context` look at each video once, and :meth:`adapt`
    bring the two together; or :meth:`rewrite` ask the text tower anew for each video. A
    new learner is a new file that overrides some of them.

    Attributes:
        needs_context: Whether :meth:`adapt` needs visual context, which the neck has
            to give beside the video embedding then.
        learns_text: Whether :meth:`encode` has something to learn. If not, features
            of a frozen text tower are computed once and kept.
        rewrites: Whether :meth:`rewrite` takes the place of the class features in
            testing.
        extra_tokens: Tokens that :meth:`encode` adds to each text.
    """

    slot = 'cls_head.prompt.'
    fresh_parameters = ('*',)
    needs_context = False
    learns_text = False
    rewrites = False
    extra_tokens = 0

    def encode(self, text_encoder: nn.Module, tokens: Tensor) -> Tensor:
        """Turn token ids (K, S) into class features (K, E) by the text tower."""
        return text_encoder(tokens)

    def prepare_context(self, tokens: Tensor | None) -> Tensor | None:
        """Reduce what a neck gives of a video to what :meth:`adapt` looks at.

        Args:
            tokens: What the neck gives beside the video embedding (N, T, L, D), or
                None where it gives nothing.
        """
        return tokens

    def adapt(self, text: Tensor, context: Tensor | None) -> Tensor:
        """Adapt class features to each video.

        Args:
            text: Class features (K, E), or those of each video (N, K, E).
            context: From :meth:`prepare_context`.

        Returns:
            Tensor: Class features of each video (N, K, E); or (K, E) where they are
            the same for all.
        """
        return text

    def rewrite(self, classes: Classes, context: Tensor, tower: TextEncoder) -> Tensor:
        """Return class features of each of N videos (N, K, E) by texts of their own.

        Args:
            classes: The K classes.
            context: From :meth:`prepare_context`.
            tower: The text tower.
        """
        raise NotImplementedError

    def forward(self, text: Tensor, context: Tensor | None = None) -> Tensor:
        """Call :meth:`adapt`."""
        return self.adapt(text, context)
