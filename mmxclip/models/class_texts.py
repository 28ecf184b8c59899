"""The texts of classes as a text tower reads them, and what it makes of them."""

import functools
import operator
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mmxclip.layers import without_autocast
from mmxclip.text import Classes, ClassSource, load_templates, tokenize
from mmxclip.text.tokenizer import refuse_equal_texts

if TYPE_CHECKING:  # prompt learners hold such texts themselves
    from mmxclip.models.prompts import PromptLearner

# Texts that are encoded at once: bounds the memory for thousands of classes.
TEXT_BATCH_SIZE = 256


class ClassTexts:
    """Texts of K classes in P templates, as tokens, with the features of a text tower.

    A head has one for its classes. It works without a head, too: any text, any tower.
    Of a class with several texts, the features are averaged.
    The tower is given with each call, since its parameters belong to the model.

    Features that nothing is learned through are kept until the weights that made them
    change. A weight counts as changed when it is another tensor, of another type or
    device, or written into. Torch tells nothing of writing into ``weight.data``, by a
    fused optimizer, or into weights that were made in inference mode: :meth:`forget`
    is for that, and a head that switches between training and testing calls it.

    Args:
        classes: The classes, see :meth:`mmxclip.text.Classes.of`.
        templates: Sentences around the texts, see :func:`mmxclip.text.load_templates`.
        tokenize: That of the tower: R texts -> token ids (R, S). Default: CLIP's.

    Attributes:
        classes: The K classes.
        tokens: Token ids of their R texts (P, R, S), on the CPU.

    Raises:
        ValueError: No names, a text that is too long, or two that are one.

    Examples:
        >>> texts = ClassTexts(['a dog runs', 'a cat sleeps'])
        >>> texts.features(tower).shape  # doctest: +SKIP
        torch.Size([1, 2, 512])
    """

    def __init__(
        self,
        classes: ClassSource,
        templates: str | Sequence[str] = 'name',
        *,
        tokenize: Callable[[Sequence[str]], Tensor] = tokenize,
    ) -> None:
        self.classes = Classes.of(classes)
        self._counts = [len(texts) for texts in self.classes.texts]
        sentences = load_templates(templates)
        given = list(chain(*self.classes.texts))
        texts = [template.format(text) for template in sentences for text in given]
        with torch.inference_mode(False):  # whose tensors cannot be trained with
            tokens = tokenize(texts)
        self.tokens = tokens.unflatten(0, (len(sentences), -1))
        refuse_equal_texts(self.classes, self.tokens[0])
        self._kept: tuple[list[Tensor], list[tuple], Tensor] | None = None

    def encode(
        self,
        tower: nn.Module,
        prompt: 'PromptLearner | None' = None,
        templates: slice = slice(None),
    ) -> Tensor:
        """Compute the features of all classes in some templates (P, K, E).

        Args:
            tower: Text tower, token ids (K, S) -> (K, E).
            prompt: Has the tower read more than the tokens, see
                :meth:`PromptLearner.encode`.
            templates: Which of them.
        """
        read: Callable[[Tensor], Tensor] = tower
        if prompt is not None:
            read = functools.partial(prompt.encode, tower)
        tokens = self.tokens[templates].to(_device(tower))
        batches = tokens.flatten(0, 1).split(TEXT_BATCH_SIZE)
        features = torch.cat([read(batch) for batch in batches])
        features = features.unflatten(0, tokens.shape[:2])  # (P, R, E)
        if len(self.classes) == tokens.shape[1]:
            return features
        parts = features.split(self._counts, dim=1)
        return torch.stack([part.mean(dim=1) for part in parts], dim=1)

    def features(
        self, tower: nn.Module, prompt: 'PromptLearner | None' = None
    ) -> Tensor:
        """Return the features (P, K, E), without gradients, computed if need be.

        Args:
            tower: See :meth:`encode`.
            prompt: See :meth:`encode`.
        """
        sources = [self.tokens, *text_weights(tower, prompt)]
        state = [_state(source) for source in sources]
        kept = self._kept  # read once, as another thread may replace it
        if kept is not None and kept[1] == state and _are_same(kept[0], sources):
            return kept[2]
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            without_autocast(_device(tower)),
        ):
            features = self.encode(tower, prompt)
        if not torch.compiler.is_exporting():  # what passes then has no values
            self._kept = sources, state, features
        return features

    def forget(self) -> None:
        """Compute the features anew the next time."""
        self._kept = None


def text_weights(
    tower: nn.Module, prompt: 'PromptLearner | None' = None
) -> list[nn.Parameter]:
    """Return the parameters that features of texts depend on."""
    weights = list(tower.parameters())
    if prompt is not None and prompt.learns_text:
        weights += prompt.parameters()
    return weights


def _device(tower: nn.Module) -> torch.device:
    return next(tower.parameters()).device


def _state(x: Tensor) -> tuple:
    return x.dtype, x.device, None if x.is_inference() else x._version


def _are_same(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))
