"""What of a recognizer becomes a graph of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from mmxclip.models import XCLIPHead, XCLIPViT, encode_video


class VideoGraph(nn.Module):
    """Frames, uint8 RGB (N, 3, T, H, W) -> embeddings (N, E) and, if any, context.

    Args:
        recognizer: MMAction2's ``Recognizer3D`` with an :class:`XCLIPHead`.
    """

    def __init__(self, recognizer: nn.Module) -> None:
        super().__init__()
        self.recognizer = recognizer
        preprocessor = recognizer.data_preprocessor
        shape = (3, 1, 1, 1)
        self.register_buffer('mean', preprocessor.mean.reshape(shape).clone())
        self.register_buffer('std', preprocessor.std.reshape(shape).clone())

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Normalise and encode."""
        normalised = (frames.float() - self.mean) / self.std
        embedding, context = encode_video(self.recognizer, normalised.unsqueeze(1))
        return (embedding,) if context is None else (embedding, context)


class TowersGraph(nn.Module):
    """Normalised frames (N, 3, T, H, W) -> what the neck gives to the head.

    Args:
        recognizer: MMAction2's ``Recognizer3D``.
    """

    def __init__(self, recognizer: nn.Module) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encode."""
        feats, _ = self.recognizer.extract_feat(frames.unsqueeze(1), test_mode=True)
        return (feats,) if isinstance(feats, Tensor) else feats


class TextGraph(nn.Module):
    """Token ids (K, S) -> class features (K, E)."""

    def __init__(self, head: XCLIPHead) -> None:
        super().__init__()
        self.tower = head.text_encoder
        self.prompt = head.prompt

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode texts of one template."""
        if self.prompt is None:
            return self.tower(tokens)
        return self.prompt.encode(self.tower, tokens)


class ScoreGraph(nn.Module):
    """Embeddings, context and class features (P, K, E), with a scale -> logits (N, K).

    The scale is ``exp(logit_scale)``: one over the temperature.
    """

    def __init__(self, head: XCLIPHead) -> None:
        super().__init__()
        self.head = head
        self.own_scale = float(head.logit_scale.detach().float().exp())

    def forward(
        self, embedding: Tensor, context: Tensor | None, text: Tensor, scale: Tensor
    ) -> Tensor:
        """Score videos."""
        return self.head.score(embedding, context, text) * (scale / self.own_scale)


@dataclass(frozen=True)
class Graph:
    """A part of the model with what it is traced and checked on.

    Attributes:
        name: Of its file, without the suffix.
        module: The part.
        inputs: Names of its inputs, in order, with the sizes that may vary.
        outputs: Names of its outputs.
        traced: Inputs to trace it with.
        others: Inputs with all other sizes, to check it with.
    """

    name: str
    module: nn.Module
    inputs: dict[str, dict[int, Any] | None]
    outputs: list[str]
    traced: tuple
    others: tuple

    def program(self) -> ExportedProgram:
        """Trace the part, with sizes that vary.

        Raises:
            ValueError: It cannot be traced; says which part and why.
        """
        # Traced by torch.export itself, which refuses to fix a size that varies.
        shapes = tuple(self.inputs.values())
        try:
            with torch.no_grad():
                return torch.export.export(
                    self.module, self.traced, dynamic_shapes=shapes
                )
        except Exception as error:  # whatever a part of a user's own does
            reason = next(iter(str(error).strip().splitlines()), '')
            raise ValueError(
                f'{self.name} cannot be exported: {type(error).__name__}: {reason}'
            ) from error

    def given(self, values: tuple) -> dict[str, Tensor]:
        """Name the inputs that there are."""
        pairs = zip(self.inputs, values, strict=True)
        return {name: value for name, value in pairs if value is not None}


def graphs_of(recognizer: nn.Module) -> Iterator[Graph]:
    """Take a model apart: ``video``, ``text``, ``score``.

    Args:
        recognizer: MMAction2's ``Recognizer3D`` with an :class:`XCLIPHead`.
    """
    side = _side_of(recognizer.backbone)
    videos = _videos(2, 5, side), _videos(3, 8, side)
    video = _on_videos('video', VideoGraph(recognizer), *videos)
    yield video
    yield _text(recognizer.cls_head)
    with torch.no_grad():
        encoded = [video.module(*frames) for frames in (video.traced, video.others)]
    yield _score(recognizer.cls_head, encoded)


def towers_of(recognizer: nn.Module) -> Graph:
    """Take out all that stands before the head: ``towers``.

    Args:
        recognizer: MMAction2's ``Recognizer3D`` with a backbone of a fixed size.
    """
    side = _side_of(recognizer.backbone)
    traced, others = _videos(2, 5, side) / 128 - 1, _videos(3, 8, side) / 128 - 1
    return _on_videos('towers', TowersGraph(recognizer), traced, others)


def _side_of(backbone: nn.Module) -> int:
    if not isinstance(backbone, XCLIPViT):
        raise ValueError(
            f"backbone cannot be exported: {type(backbone).__name__} is no 'XCLIPViT'"
        )
    return backbone.img_size


def _on_videos(name: str, module: nn.Module, traced: Tensor, others: Tensor) -> Graph:
    with torch.no_grad():
        count = len(module(others))
    return Graph(
        name,
        module,
        dict(frames={0: Dim('N'), 2: Dim('T')}),
        ['embedding', 'context'][:count],
        (traced,),
        (others,),
    )


def _text(head: XCLIPHead) -> Graph:
    length = text_length(head)
    return Graph(
        'text',
        TextGraph(head),
        dict(tokens={0: Dim('K'), 1: Dim('S', min=3, max=length)}),
        ['features'],
        (_tokens(3, 7),),
        (_tokens(5, length),),
    )


def text_length(head: XCLIPHead) -> int:
    """Return how many tokens a text may have, start and end included."""
    added = 0 if head.prompt is None else head.prompt.extra_tokens
    return head.text_encoder.context_length - added


def _score(head: XCLIPHead, encoded: list[tuple[Tensor, ...]]) -> Graph:
    videos = Dim('N')
    texts = [torch.randn(len(head.templates), k, head.in_channels) for k in (3, 5)]
    (one, *_), (other, *_) = encoded
    contexts = [pair[1] if len(pair) > 1 else None for pair in encoded]
    context: dict[int, Any] | None = None
    if contexts[0] is not None and contexts[1] is not None:
        context = {0: videos}
        if contexts[0].shape[1] != contexts[1].shape[1]:  # it is one of frames
            context[1] = Dim('L')
    scale = torch.tensor(100.0)
    return Graph(
        'score',
        ScoreGraph(head),
        dict(embedding={0: videos}, context=context, text={1: Dim('K')}, scale={}),
        ['logits'],
        (one, contexts[0], texts[0], scale),
        (other, contexts[1], texts[1], scale / 2),
    )


def _videos(num_videos: int, num_frames: int, side: int) -> Tensor:
    shape = (num_videos, 3, num_frames, side, side)
    return torch.randint(256, shape, dtype=torch.uint8)


def _tokens(num_texts: int, length: int) -> Tensor:
    tokens = torch.randint(1, 1000, (num_texts, length))
    tokens[:, -1] = 49407
    return tokens
