"""Data sets, readers and transforms, registered in MMAction2."""

from .readers import TarBackend
from .transforms import (
    FusedTransforms,
    SafeDecordDecode,
    SafeDecordInit,
    SafePyAVInit,
    SafeTorchCodecInit,
    SegmentSampleFrames,
    VideoColorJitter,
    VideoGrayscale,
)
from .video_list_dataset import VideoListDataset

__all__ = [
    'FusedTransforms',
    'SafeDecordDecode',
    'SafeDecordInit',
    'SafePyAVInit',
    'SafeTorchCodecInit',
    'SegmentSampleFrames',
    'TarBackend',
    'VideoColorJitter',
    'VideoGrayscale',
    'VideoListDataset',
]
