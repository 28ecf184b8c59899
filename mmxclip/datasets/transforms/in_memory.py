"""Videos of small data sets, decoded once."""

import numpy as np
from mmaction.registry import TRANSFORMS

from mmxclip.datasets.transforms.engines import Frames
from mmxclip.datasets.transforms.loading import DECODE_ERRORS, SafeDecordInit, give_up

_DECODED: dict[str, np.ndarray] = {}


class _Video(Frames):
    """Decoded frames behind the part of decord's reader that decoding uses."""

    def __len__(self) -> int:
        return len(self.frames)

    def get_batch(self, indices: np.ndarray) -> Frames:
        return Frames(self.frames[indices])


@TRANSFORMS.register_module()
class InMemoryVideoInit(SafeDecordInit):
    """``SafeDecordInit`` that decodes a video once and keeps all its frames.

    For data sets that fit into memory, where decoding would take longer than the
    model. What it kept belongs to the process: worker processes that are forked later
    share it, others have their own.

    Args: as for :class:`SafeDecordInit`.
    """

    def transform(self, results: dict) -> dict | None:
        """Open the video, from memory if it has been opened before."""
        name = results['filename']
        if name not in _DECODED:
            opened = super().transform(results)
            if opened is None or opened['undecodable']:
                return opened
            reader = opened['video_reader']
            try:
                _DECODED[name] = reader.get_batch(range(len(reader))).asnumpy()
            except DECODE_ERRORS as error:
                return give_up(opened, error, self.test_mode)
        frames = _Video(_DECODED[name])
        return results | dict(
            video_reader=frames, total_frames=len(frames), undecodable=False
        )
