"""Videos of small data sets, decoded once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS

from mmxclip.datasets.transforms.loading import VideoInit


class _DecodedVideo:
    """All frames of a reader, behind its interface."""

    def __init__(self, reader: Any) -> None:
        self.frames = reader.get_batch(range(len(reader)))
        self.fps, self.shortfall = reader.fps, reader.shortfall

    def __len__(self) -> int:
        return len(self.frames)

    def get_batch(self, indices: Sequence[int]) -> list[np.ndarray]:
        return [self.frames[i].copy() for i in indices]  # Flip writes into them


_DECODED: dict[str, _DecodedVideo] = {}


@TRANSFORMS.register_module()
class InMemoryVideoInit(VideoInit):
    """``VideoInit`` that decodes a video once and keeps all its frames.

    For data sets that fit into memory, where decoding would take longer than the
    model. What it kept belongs to the process: worker processes that are forked later
    share it, others have their own.

    Args: as for :class:`VideoInit`.
    """

    def _open(self, filename: str) -> _DecodedVideo:
        if filename not in _DECODED:
            _DECODED[filename] = _DecodedVideo(super()._open(filename))
        return _DECODED[filename]
