"""Class texts that say what else is seen in a video; nothing is learned."""

import functools
from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from mmxclip.models.class_texts import ClassTexts
from mmxclip.models.prompts.base import PromptLearner
from mmxclip.models.text_encoders import TextEncoder
from mmxclip.text import Classes, ClassSource
from mmxclip.text.sentences import write_sentence
from mmxclip.utils.checks import check_count

_SCALE = 100.0  # of CLIP's cosines
# What is compared with the frames to find the words of each kind.
_PHRASES = dict(
    objects='a photo of {}', scene='a photo taken in {}', attribute='a {} photo'
)
Content = tuple[tuple[str, tuple[str, ...]], ...]  # kinds and words


@MODELS.register_module()
class ContentPrompt(PromptLearner):
    """Write a sentence of each class and of what CLIP sees in the video.

    In testing, the frames are compared with lists of objects, scenes and attributes;
    the words that stand out fill a template together with the text of each class, and
    the text tower encodes these sentences. Words are only found where frames and texts
    are in one space: with CLIP's weights. In training the class texts alone are learned
    with. The head's ``templates`` are not used for sentences.

    It costs the text tower K texts (all of those of K classes) for every content that
    is not among the last ``keep``, which most videos have a new one of: for long class
    lists that is more than the vision tower costs. The words themselves are encoded
    once.

    Args:
        objects: List of nouns: packaged (``'objects'``), a file or a list.
        scenes: List of places.
        attributes: List of adjectives.
        template: Sentence, see :func:`mmxclip.text.sentences.write_sentence`.
        num_objects: Objects of a sentence, at most; scene and attribute are one each.
        least: Probability among its list that a word needs.
        keep: Contents whose class features are kept, each K x E numbers.

    Raises:
        ValueError: A list cannot be read, the template has other fields, or a number
            is wrong.
    """

    needs_context = True
    rewrites = True

    def __init__(
        self,
        *,
        objects: ClassSource = 'objects',
        scenes: ClassSource = 'scenes',
        attributes: ClassSource = 'attributes',
        template: str = 'a [{attribute} ]video of [{objects} ]{action}[ in {scene}]',
        num_objects: int = 2,
        least: float = 0.1,
        keep: int = 64,
    ) -> None:
        super().__init__()
        check_count('num_objects', num_objects)
        check_count('keep', keep)
        if not 0 <= least < 1:
            raise ValueError(f'least must be in [0, 1), got {least!r}')
        self.template, self.least, self.keep = template, least, keep
        self.most = dict(objects=num_objects, scene=1, attribute=1)
        given = dict(objects=objects, scene=scenes, attribute=attributes)
        self.words = {kind: _phrased(kind, source) for kind, source in given.items()}
        try:
            write_sentence(template, 'running', {kind: ['x'] for kind in given})
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f'template may have {{action}} and {", ".join(given)} in braces, got '
                f'{template!r} ({error})'
            ) from error
        self._kept: OrderedDict[Classes, ClassTexts] = OrderedDict()

    def prepare_context(self, tokens: Tensor | None) -> Tensor:
        """Return the mean direction of the frame embeddings (N, 1, T, E) -> (N, E).

        Raises:
            ValueError: They are patch tokens, or none.
        """
        if tokens is None or tokens.shape[1] != 1:
            raise ValueError(
                'ContentPrompt looks at the frame embeddings: set '
                "context='frame_embeds' of the neck (MIT)."
            )
        frames = F.normalize(tokens[:, 0].float(), dim=-1)  # (N, T, E)
        return F.normalize(frames.mean(dim=1), dim=-1)

    @torch.no_grad()
    def rewrite(self, classes: Classes, context: Tensor, tower: TextEncoder) -> Tensor:
        """Return the features of sentences that are written for each video.

        Args:
            classes: The K classes.
            context: From :meth:`prepare_context` (N, E).
            tower: The text tower.

        Returns:
            Tensor: (N, K, E).
        """
        contents = self.see(context, tower)
        features = {
            content: self._encode(self.describe(classes, dict(content)), tower)
            for content in dict.fromkeys(contents)
        }
        return torch.stack([features[content] for content in contents])

    def see(self, context: Tensor, tower: TextEncoder) -> list[Content]:
        """Return the words that stand out in each of N videos."""
        found: list[dict[str, tuple[str, ...]]] = [{} for _ in context]
        for kind, words in self.words.items():
            features = F.normalize(self._encode(words, tower).float(), dim=-1)
            scores = (_SCALE * context @ features.T).softmax(dim=-1)
            best = scores.topk(min(self.most[kind], len(words)), dim=-1)
            pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
            for seen, (values, numbers) in zip(found, pairs, strict=True):
                seen[kind] = tuple(
                    words[number]
                    for value, number in zip(values, numbers, strict=True)
                    if value >= self.least
                )
        return [tuple(seen.items()) for seen in found]

    def describe(
        self, classes: Classes, seen: Mapping[str, tuple[str, ...]]
    ) -> Classes:
        """Return classes whose texts also tell what else is seen."""
        write = functools.partial(write_sentence, self.template, seen=seen)
        texts = (tuple(write(action=text) for text in one) for one in classes.texts)
        return Classes(classes.names, tuple(texts))

    def _encode(self, classes: Classes, tower: TextEncoder) -> Tensor:
        """Return features (K, E), which are kept until the weights change."""
        texts = self._kept.pop(classes, None)
        if texts is None:
            texts = ClassTexts(classes, tokenize=tower.tokenize)
        self._kept[classes] = texts
        if len(self._kept) > self.keep + len(self.words):
            self._kept.popitem(last=False)
        return texts.features(tower)[0]


def _phrased(kind: str, source: ClassSource) -> Classes:
    names = Classes.of(source)
    return Classes(names.names, tuple((_PHRASES[kind].format(name),) for name in names))
