"""Transforms that MMAction2 lacks."""

from mmxclip.datasets.transforms.in_memory import InMemoryVideoInit
from mmxclip.datasets.transforms.loading import (
    SafeDecordInit,
    SafeTorchCodecInit,
    VideoDecode,
    VideoInit,
)
from mmxclip.datasets.transforms.photometric import VideoColorJitter, VideoGrayscale
from mmxclip.datasets.transforms.sampling import SegmentSampleFrames

__all__ = [
    'InMemoryVideoInit',
    'SafeDecordInit',
    'SafeTorchCodecInit',
    'SegmentSampleFrames',
    'VideoColorJitter',
    'VideoDecode',
    'VideoGrayscale',
    'VideoInit',
]
