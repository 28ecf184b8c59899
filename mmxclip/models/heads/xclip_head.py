"""Head of X-CLIP: cosine similarity of a video with class names."""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from mmaction.utils import ConfigType, OptConfigType, SampleList
from torch import Tensor, nn

from mmxclip.checkpoints.parts import PretrainedPart
from mmxclip.models.class_texts import ClassTexts, text_weights
from mmxclip.models.feature_hints import split_embedding
from mmxclip.models.heads.scores import cosines, odds_against_others, smooth
from mmxclip.models.prompts import PromptLearner
from mmxclip.models.text_encoders import TextEncoder
from mmxclip.text import Classes, ClassSource, load_templates
from mmxclip.utils.checks import check_choice

AverageClips = Literal['prob', 'score', None]
Feats: TypeAlias = Tensor | tuple[Tensor, Tensor]


@MODELS.register_module()
class XCLIPHead(PretrainedPart, BaseHead):
    """Classify videos by the similarity of their embedding to class texts.

    ``logits = exp(logit_scale) * cos(video, prompt(text, patch tokens))``. Class
    features that nothing is learned through, because the text tower is frozen or the
    model tested, are computed once and kept, see :class:`ClassTexts`.

    Args:
        classes: Label 0 first: names, a file with them or with descriptions, or a
            packaged list (``'kinetics400'``); see :meth:`mmxclip.text.Classes.of`.
        num_classes: If given, the number of classes that there must be.
        text_encoder: Config of the text tower (a :class:`TextEncoder`), which also
            turns texts into tokens. While it is frozen, so is the logit scale.
        prompt: Config of the prompt learner (a :class:`PromptLearner`), which makes
            class features and adapts them to each video; ``None`` for none: the neck
            need not give patch tokens then.
        templates: Sentences around the class names: a packaged set, one template or
            a list. Of several, training draws one at each step, while testing
            averages the logits over all. Default: the bare name.
        logit_scale: Initial ``exp(logit_scale)``, > 0. CLIP's checkpoints bring 100.
        loss_cls: Config of the loss.
        label_smooth_eps: Label smoothing.
        topk: Ranks at which the training accuracy is logged.
        average_clips: How the views of a video are merged in testing: ``'prob'``,
            ``'score'``, or ``None`` for not at all.
        init_cfg: Initialisation.

    Raises:
        ValueError: No classes, or not ``num_classes`` of them; a class text is
            longer than the tower's context; two classes have one text; another
            argument is none of the values above.

    References:
        X-CLIP (https://arxiv.org/abs/2208.02816), section 3.3;
        https://github.com/microsoft/VideoX/blob/master/X-CLIP/models/xclip.py
    """

    slot = 'cls_head.'

    # No buffers in it: hooks that average these over processes would round token ids.
    texts: ClassTexts

    def __init__(
        self,
        classes: ClassSource,
        *,
        num_classes: int | None = None,
        text_encoder: ConfigType = dict(type='CLIPTextEncoder'),  # noqa: B006
        prompt: OptConfigType = dict(type='VideoSpecificPrompt'),  # noqa: B006
        templates: str | Sequence[str] = 'name',
        logit_scale: float = 1 / 0.07,
        loss_cls: ConfigType = dict(type='CrossEntropyLoss'),  # noqa: B006
        label_smooth_eps: float = 0.0,
        topk: int | Sequence[int] = (1, 5),
        average_clips: AverageClips = 'prob',
        init_cfg: OptConfigType = None,
    ) -> None:
        classes = Classes.of(classes)
        if num_classes not in (None, len(classes)):
            raise ValueError(
                f'num_classes={num_classes}, but classes holds {len(classes)} names, '
                f'first {classes[0]!r}. Leave num_classes out or make them agree.'
            )
        check_choice('average_clips', average_clips, AverageClips)
        if logit_scale <= 0:
            raise ValueError(f'logit_scale must be above 0, got {logit_scale!r}.')
        if not 0 <= label_smooth_eps < 1:
            raise ValueError(
                f'label_smooth_eps must lie in [0, 1), got {label_smooth_eps!r}.'
            )
        text_tower = MODELS.build(text_encoder)
        if not isinstance(text_tower, TextEncoder):
            raise ValueError(
                f'text_encoder must be a TextEncoder, got {type(text_tower).__name__}.'
            )
        super().__init__(
            num_classes=len(classes),
            in_channels=text_tower.out_dims,
            loss_cls=loss_cls,
            label_smooth_eps=label_smooth_eps,
            topk=topk if isinstance(topk, int) else tuple(topk),
            average_clips=average_clips,
            init_cfg=init_cfg,
        )
        self.text_encoder = text_tower
        self.prompt = None if prompt is None else MODELS.build(prompt)
        if not isinstance(self.prompt, (PromptLearner, type(None))):
            raise ValueError(
                f'prompt must be a PromptLearner, got {type(self.prompt).__name__}.'
            )
        self.templates = load_templates(templates)
        self.logit_scale = nn.Parameter(
            torch.tensor(math.log(logit_scale)), requires_grad=not text_tower.frozen
        )
        self.set_classes(classes)

    def train(self, mode: bool = True) -> 'XCLIPHead':
        """Switch to training or back, and forget the text features.

        MMEngine swaps averaged weights in then, of which no version counter tells.
        Its loop by iterations calls this in training before each step, too.
        """
        if not (mode and self.training):
            self.texts.forget()
        return super().train(mode)

    @property
    def classes(self) -> Classes:
        """The classes in use, in the order of the scores."""
        return self.texts.classes

    def set_classes(self, classes: ClassSource) -> None:
        """Replace the classes by others, given as in the constructor.

        Raises:
            ValueError: No classes, a text that is too long, or two that are one.
        """
        self.texts = self.make_texts(classes)
        self.num_classes = len(self.classes)

    def make_texts(self, classes: ClassSource) -> ClassTexts:
        """Prepare other classes for single calls of :meth:`forward`."""
        return ClassTexts(classes, self.templates, tokenize=self.text_encoder.tokenize)

    def forward(
        self, feats: Feats, *, texts: ClassTexts | None = None, **kwargs: Any
    ) -> Tensor:
        """Score videos against all classes.

        Args:
            feats: Video embeddings (N, E); with visual context (N, T, L, D) for the
                prompt learner, such as patch tokens, as a tuple.
            texts: Other classes for this call, from :meth:`make_texts`.
            **kwargs: What the host passes to heads (``loss_aux``, ``fcn_test``).

        Returns:
            Tensor: float32 logits (N, K).

        Raises:
            ValueError: The embeddings are not as wide as the text embeddings, or
                the prompt learner lacks context.
        """
        embedding, context = self.prepare(feats)
        return self.score(embedding, context, self.text_features(texts, context))

    def prepare(self, feats: Feats) -> tuple[Tensor, Tensor | None]:
        """Turn features into all that :meth:`score` needs of a video.

        Args:
            feats: See :meth:`forward`.

        Returns:
            tuple: Video embeddings (N, E); and the prompt learner's context, for
            ``VideoSpecificPrompt`` (N, L, E), or None where there is none.
        """
        embedding, tokens = split_embedding(feats, self.in_channels)
        if self.prompt is None or not self.prompt.needs_context:
            return embedding, None
        if tokens is None:
            raise ValueError(
                'The prompt learner needs patch tokens beside the video embedding. '
                "Use a neck that gives both (type='MIT'), or set prompt=None."
            )
        return embedding, self.prompt.prepare_context(tokens)

    def score(self, embedding: Tensor, context: Tensor | None, text: Tensor) -> Tensor:
        """Score videos against class features.

        Args:
            embedding: Video embeddings (N, E).
            context: See :meth:`prepare`.
            text: Class features of P templates (P, K, E), from :meth:`text_features`,
                or those of each video (P, N, K, E).

        Returns:
            Tensor: float32 logits (N, K), the mean over the templates.
        """
        prompt = self.prompt
        if self._writer() is not None and text.ndim < 4:
            raise ValueError(
                f'{type(prompt).__name__} writes texts for each video, for which only '
                'predict and timeline ask; set cls_head.prompt=None for other tools.'
            )
        adapted = text if prompt is None else (prompt(one, context) for one in text)
        logits = [self.similarity(embedding, one) for one in adapted]
        return torch.stack(logits).mean(dim=0) if len(logits) > 1 else logits[0]

    def similarity(self, video: Tensor, text: Tensor) -> Tensor:
        """Return scaled cosines in float32: (N, E) and (N or 1, K, E) -> (N, K)."""
        return self.logit_scale.float().exp() * cosines(video, text)

    def log_odds(self, logits: Tensor) -> Tensor:
        """Return each class's log-odds against all others, (N, K) -> (N, K).

        Its sigmoid is the class's probability. For errors see the function.
        """
        return odds_against_others(logits)

    def text_features(
        self, texts: ClassTexts | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Return text embeddings of the classes for each template (P, K, E).

        In training with several templates, of one template drawn at random: P = 1.

        Args:
            texts: Classes. Default: those in use.
            context: See :meth:`prepare`: with a prompt learner that ``rewrites``, the
                embeddings are of each video then, (1, N, K, E).
        """
        texts = self.texts if texts is None else texts
        writer = self._writer()
        if writer is not None and context is not None:
            return writer.rewrite(texts.classes, context, self.text_encoder)[None]
        chosen = slice(None)
        if self.training and len(self.templates) > 1:
            first = int(torch.randint(len(self.templates), (1,)))
            chosen = slice(first, first + 1)
        if (self.training or torch.is_grad_enabled()) and self._learns_text():
            return texts.encode(self.text_encoder, self.prompt, chosen)
        return texts.features(self.text_encoder, self.prompt)[chosen]

    def _writer(self) -> PromptLearner | None:
        writes = self.prompt is not None and self.prompt.rewrites and not self.training
        return self.prompt if writes else None

    def _learns_text(self) -> bool:
        # By the settings, too: wrappers that flatten parameters hide them meanwhile.
        prompt_learns = self.prompt is not None and self.prompt.learns_text
        weights = text_weights(self.text_encoder, self.prompt)
        tower_learns = not self.text_encoder.frozen
        return prompt_learns or tower_learns or any(p.requires_grad for p in weights)

    def loss_by_feat(
        self, cls_scores: Tensor, data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Compute the loss, and the accuracy also where labels are blended.

        No value is read, so that a GPU is not waited for; :class:`CheckLabelsHook`
        looks before the run whether every label has a class.

        Args:
            cls_scores: Logits (N, K).
            data_samples: Samples with a label, or a distribution over K classes
                (mixup, cutmix), for which the accuracy counts the dominant class.

        Returns:
            dict: ``loss_cls`` and ``top{k}_acc``.

        Raises:
            ValueError: Labels are blended for another number of classes.
        """
        labels = torch.stack([sample.gt_label for sample in data_samples])
        labels = labels.to(cls_scores.device)  # (N, 1); blended (N, K)
        if labels.shape[1] not in (1, self.num_classes):
            raise ValueError(
                f'Blended labels have {labels.shape[1]} classes, the head has '
                f'{self.num_classes}: set num_classes of the blending to '
                f'{self.num_classes}.'
            )
        blended = labels.shape[1] > 1
        dominant = labels.argmax(dim=1) if blended else labels.flatten()  # (N,)
        most = min(max(self.topk, default=1), self.num_classes)
        best = cls_scores.detach().topk(most, dim=1).indices
        hits = best == dominant.unsqueeze(1)
        losses = {f'top{k}_acc': hits[:, :k].any(1).float().mean() for k in self.topk}
        target = labels if blended else dominant
        if self.label_smooth_eps:
            target = smooth(target, self.num_classes, self.label_smooth_eps)
        loss = self.loss_cls(cls_scores, target)
        return losses | (loss if isinstance(loss, dict) else dict(loss_cls=loss))
