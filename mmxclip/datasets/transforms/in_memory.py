"""Videos of small data sets, decoded once."""

import numpy as np
from mmaction.registry import TRANSFORMS

from mmxclip.datasets.transforms.engines import Frames
from mmxclip.datasets.transforms.loading import DECODE_ERRORS, SafeDecordInit, give_up

# Frames and their rate, of every file.
_DECODED: dict[str, tuple[np.ndarray, float]] = {}


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
                frames = reader.get_batch(range(len(reader))).asnumpy()
            except DECODE_ERRORS as error:
                return give_up(opened, error, self.test_mode)
            _DECODED[name] = frames, opened['avg_fps']
        frames, avg_fps = _DECODED[name]
        return results | dict(
            video_reader=_Video(frames),
            total_frames=len(frames),
            avg_fps=avg_fps,
            undecodable=False,
        )
