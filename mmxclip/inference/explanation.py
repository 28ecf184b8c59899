"""Why a clip gets its label: where, when, and whether that is true."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mmxclip.inference.inputs import check_input, frames_of, name_of
from mmxclip.inference.messages import recording_messages
from mmxclip.inference.occlusion import Judge
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.models import ClassTexts, encode_video
from mmxclip.text import ClassSource
from mmxclip.utils.checks import check_choice, check_count
from mmxclip.utils.processes import Track, untracked

Method = Literal['occlusion', 'gradient']
_SQUARES = 8  # in a row
_STEPS = 16  # of a deletion curve
_ORDERS = 5  # at random


@dataclass(frozen=True)
class Deletion:
    """How the best class's probability falls when more and more squares are hidden.

    Attributes:
        hidden: Shares of the squares that are hidden, from 0 to 1 (S,).
        by_map: Probabilities, those first that the map names first (S,).
        at_random: Probabilities in orders drawn at random (R, S).
    """

    hidden: np.ndarray
    by_map: np.ndarray
    at_random: np.ndarray


@dataclass(frozen=True)
class Explanation:
    """What :func:`explain` returns. Differences are in log-odds (natural logarithms).

    Attributes:
        clip: What the clip is called.
        labels: The K labels.
        scores: Their probabilities (K,), of the view that is explained.
        view: Which view that is, from 0.
        views: How many there are.
        frames: Its frames, RGB uint8 (T, H, W, 3).
        patch: Side of the squares that were hidden, in pixels.
        method: How the maps came about.
        maps: What each label loses when a square of a frame is hidden (K, T, h, w);
            what speaks against it is negative.
        contributions: What each label loses without a frame (K, T).
        left_out: Whether the frame was left out; for models that need all frames it
            was hidden.
        messages: Attention among the frames' message tokens, of each block that has
            some (B, T, T): what frame t (row) took of each frame, mean over heads. It
            says what was passed on, not what decided.
        deletion: Whether the map of the best label is true.
    """

    clip: str
    labels: list[str]
    scores: np.ndarray
    view: int
    views: int
    frames: np.ndarray
    patch: int
    method: str
    maps: np.ndarray
    contributions: np.ndarray
    left_out: bool
    messages: np.ndarray
    deletion: Deletion

    @property
    def best(self) -> int:
        """Number of the best label."""
        return int(self.scores.argmax())


@torch.no_grad()
def explain(
    inferencer: XCLIPInferencer,
    clip: str | np.ndarray,
    labels: ClassSource | None = None,
    *,
    method: Method = 'occlusion',
    patch: int | None = None,
    batch_size: int = 8,
    track: Track = untracked,
) -> Explanation:
    """Find out what the scores of a clip come from.

    It is measured by running the model on the clip without a part of it. Of several
    views, the one is explained whose scores are closest to their mean.

    Args:
        inferencer: The model.
        clip: As the inferencer takes it.
        labels: Class names. Default: those of the inferencer.
        method: How the maps come about: ``'occlusion'`` hides one square of one frame
            after the other; ``'gradient'`` estimates, by one backward pass for each
            label, what that would cost.
        patch: Side of the squares, in pixels of what the model sees. Larger ones take
            less time. Default: an eighth of a frame.
        batch_size: Clips that go through the model at once.
        track: Gets what is iterated over, and the number, such as
            :func:`with_progress`.

    Raises:
        OSError: The clip cannot be read.
        RuntimeError: It is no video.
        ValueError: Labels or settings are wrong, or the model sees no RGB frames.

    Examples:
        >>> found = explain(  # doctest: +SKIP
        ...     inferencer, 'clip.mp4', ['a dog runs', 'a cat sleeps']
        ... )
        >>> found.maps.shape  # doctest: +SKIP
        (2, 8, 7, 7)
    """
    check_choice('method', method, Method)
    check_count('batch_size', batch_size)
    texts = inferencer.texts(labels)
    views, sample = _prepare(inferencer, clip)
    view, messages = _choose_view(inferencer.model, views, texts)
    patch = _check_patch(views, patch)
    judge = Judge(
        inferencer.model,
        texts,
        views[view],
        patch=patch,
        batch_size=batch_size,
        track=track,
    )
    whole = judge.whole()  # (K,)
    if method == 'gradient':
        maps = judge.by_gradient()  # (T, h, w, K)
    else:
        maps = whole - judge.without_squares()
    best = int(whole.argmax())
    return Explanation(
        clip=name_of(clip),
        labels=list(texts.classes),
        scores=whole.sigmoid().numpy(),
        view=view,
        views=len(views),
        frames=frames_of(sample[view : view + 1]),
        patch=patch,
        method=method,
        maps=maps.movedim(-1, 0).numpy(),
        contributions=(whole - judge.without_frames()).T.numpy(),
        left_out=judge.leaves_out,
        messages=messages.cpu().numpy(),
        deletion=_delete(judge, maps[..., best], whole[best], best),
    )


def _check_patch(views: Tensor, patch: int | None) -> int:
    """Return the side of the squares, which must be smaller than a frame."""
    height, width = views.shape[-2:]
    if patch is None:
        return ceil(min(height, width) / _SQUARES)
    check_count('patch', patch)
    if patch >= min(height, width):
        raise ValueError(
            f'patch must be smaller than what the model sees, {width}x{height} pixels, '
            f'got {patch}'
        )
    return patch


def _prepare(inferencer: XCLIPInferencer, clip: Any) -> tuple[Tensor, Tensor]:
    """Return the views of a clip (V, 3, T, H, W), as the model gets them and before."""
    sample = inferencer.pipeline(check_input(clip, inferencer.input_format))
    views = sample['inputs']
    if views.ndim != 5 or views.shape[1] != 3:
        raise ValueError(
            'only models that see RGB clips (views, 3, T, H, W) can be explained, got '
            f'inputs of shape {tuple(views.shape)}'
        )
    batch = inferencer.collate_fn([sample])
    data = inferencer.model.data_preprocessor(batch, False)
    return data['inputs'][0], views


def _choose_view(model: Any, views: Tensor, texts: ClassTexts) -> tuple[int, Tensor]:
    """Return the most usual view and its messages (B, T, T)."""
    head = model.cls_head
    with recording_messages(model) as messages:
        embedding, context = encode_video(model, views.unsqueeze(0))
    text = head.text_features(texts)
    scores = head.log_odds(head.score(embedding, context, text)).sigmoid()  # (V, K)
    distances = (scores - scores.mean(dim=0)).norm(dim=1)
    view, num_frames = int(distances.argmin()), views.shape[2]
    none = scores.new_zeros(0, num_frames, num_frames)
    return view, torch.stack([m[view] for m in messages]) if messages else none


def _delete(judge: Judge, best_map: Tensor, whole: Tensor, best: int) -> Deletion:
    """Hide the squares of a map (T, h, w), by its order and at random."""
    generator = torch.Generator().manual_seed(0)
    number = best_map.numel()
    ranks = [best_map.flatten().argsort(descending=True).argsort()]
    ranks += [torch.randperm(number, generator=generator) for _ in range(_ORDERS)]
    counts = torch.linspace(0, number, _STEPS + 1).round().long()
    hidden = judge.without_ranked(torch.stack(ranks), counts[1:])[..., best]  # (R, C)
    curves = torch.cat([whole.expand(len(hidden), 1), hidden], dim=1).sigmoid().numpy()
    return Deletion((counts / number).numpy(), curves[0], curves[1:])
