"""Data sets, readers and transforms, registered in MMAction2."""

from .transforms import (
    SafeDecordDecode,
    SafeDecordInit,
    SegmentSampleFrames,
    VideoColorJitter,
    VideoGrayscale,
)
from .video_list_dataset import VideoListDataset

__all__ = [
    'SafeDecordDecode',
    'SafeDecordInit',
    'SegmentSampleFrames',
    'VideoColorJitter',
    'VideoGrayscale',
    'VideoListDataset',
]
