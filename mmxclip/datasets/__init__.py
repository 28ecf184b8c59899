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
from mmxclip.datasets.transforms.in_memory import InMemoryVideoInit
from mmxclip.datasets.transforms.loading import (
    SafeDecordInit,
    SafeTorchCodecInit,
    VideoDecode,
    VideoInit,
)
from mmxclip.datasets.transforms.photometric import VideoColorJitter, VideoGrayscale
from mmxclip.datasets.transforms.sampling import SegmentSampleFrames
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
