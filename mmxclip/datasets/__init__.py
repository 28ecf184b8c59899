"""Data sets, readers and transforms, registered in MMAction2."""

from mmxclip.datasets.readers import TarBackend
from mmxclip.datasets.transforms import (
    FusedTransforms,
    InMemoryVideoInit,
    SafeDecordDecode,
    SafeDecordInit,
    SafePyAVInit,
    SafeTorchCodecInit,
    SegmentSampleFrames,
    VideoColorJitter,
    VideoGrayscale,
)
from mmxclip.datasets.video_list_dataset import VideoListDataset

__all__ = [
    'FusedTransforms',
    'InMemoryVideoInit',
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
