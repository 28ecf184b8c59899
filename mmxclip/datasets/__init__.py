"""Data sets, readers and transforms, registered in MMAction2."""

from mmxclip.datasets.readers import (
    Film,
    Frame,
    TarBackend,
    VideoError,
    VideoReader,
    upright,
)
from mmxclip.datasets.seeded_batch_sampler import SeededBatchSampler
from mmxclip.datasets.transforms import (
    InMemoryVideoInit,
    SafeDecordInit,
    SafeTorchCodecInit,
    SegmentSampleFrames,
    VideoColorJitter,
    VideoDecode,
    VideoGrayscale,
    VideoInit,
)
from mmxclip.datasets.video_list_dataset import VideoListDataset

__all__ = [
    'Film',
    'Frame',
    'InMemoryVideoInit',
    'SafeDecordInit',
    'SafeTorchCodecInit',
    'SeededBatchSampler',
    'SegmentSampleFrames',
    'TarBackend',
    'VideoColorJitter',
    'VideoDecode',
    'VideoError',
    'VideoGrayscale',
    'VideoInit',
    'VideoListDataset',
    'VideoReader',
    'upright',
]
