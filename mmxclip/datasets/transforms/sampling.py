"""Which frames of a video make its clips."""

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmxclip.utils.checks import check_count


def segment_centres(total_frames: int, num_frames: int, num_views: int) -> np.ndarray:
    """Frame indices at fixed places of equal segments.

    The video is cut into ``num_frames`` equal segments. View ``v`` takes of each
    segment the frame at ``(v + 0.5) / num_views`` of its length, so one view takes
    the middle and several views share the segment out evenly.

    Returns:
        Indices from 0, shape (num_views, num_frames).
    """
    length = total_frames / num_frames
    starts = np.arange(num_frames) * length
    shifts = (np.arange(num_views) + 0.5) / num_views * length
    return (starts + shifts[:, None]).astype(int)


def segment_draws(total_frames: int, num_frames: int, num_views: int) -> np.ndarray:
    """Frame indices at random places of equal segments, drawn for each view.

    A segment is a whole number of frames long, so up to ``num_frames - 1`` frames
    at the end of the video are never drawn. A video shorter than ``num_frames``
    repeats frames evenly and leaves nothing to draw.

    Returns:
        Indices from 0, shape (num_views, num_frames).
    """
    length = total_frames // num_frames
    if length == 0:
        indices = np.around(np.arange(num_frames) * (total_frames / num_frames))
        return np.tile(indices.astype(int) % total_frames, (num_views, 1))
    starts = np.arange(num_frames) * length
    return starts + np.random.randint(length, size=(num_views, num_frames))


@TRANSFORMS.register_module()
class SegmentSampleFrames(BaseTransform):
    """Sample one clip of ``num_frames`` segment frames for each view.

    Unlike ``SampleFrames(clip_len=1, num_clips=T)``, which yields T videos of one
    frame, the clip has ``clip_len=num_frames`` and the views are ``num_clips``, so
    ``FormatShape('NCTHW')`` gives (views, 3, T, H, W). Frames come from the whole
    length of the video, whatever its frame rate.

    Required Keys:

    - total_frames
    - start_index

    Added Keys:

    - frame_inds: shape (num_views * num_frames, ), view by view
    - clip_len
    - frame_interval: always None, the distance depends on the video
    - num_clips

    Args:
        num_frames: Frames of a clip, T.
        num_views: Clips per video.
        test_mode: If true, frames lie at fixed places, spread evenly for several
            views. If false they are drawn at random with numpy's global generator.
            ``test_mode=False, num_views=4`` in a test pipeline is how the reference
            draws its test views.

    Raises:
        ValueError: ``num_frames`` or ``num_views`` is no integer from 1.

    Source: ``SampleFrames`` of microsoft/VideoX, X-CLIP/datasets/pipeline.py; equal
    indices for one test view and for random views under the same seed.
    """

    def __init__(
        self, num_frames: int, num_views: int = 1, test_mode: bool = False
    ) -> None:
        check_count('num_frames', num_frames)
        check_count('num_views', num_views)
        self.num_frames = num_frames
        self.num_views = num_views
        self.test_mode = test_mode

    def transform(self, results: dict) -> dict:
        """Choose the frames."""
        total_frames = results['total_frames']
        if total_frames < 1:
            name = results.get('filename', results.get('frame_dir', 'the video'))
            raise ValueError(f'{name} has no frames: total_frames={total_frames}')
        choose = segment_centres if self.test_mode else segment_draws
        indices = choose(total_frames, self.num_frames, self.num_views)
        results['frame_inds'] = indices.reshape(-1) + results['start_index']
        results['clip_len'] = self.num_frames
        results['frame_interval'] = None
        results['num_clips'] = self.num_views
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(num_frames={self.num_frames}, '
            f'num_views={self.num_views}, test_mode={self.test_mode})'
        )
