"""Transforms that MMAction2 lacks."""

from mmxclip.datasets.transforms.fused import FusedTransforms
from mmxclip.datasets.transforms.in_memory import InMemoryVideoInit
from mmxclip.datasets.transforms.loading import (
    SafeDecordDecode,
    SafeDecordInit,
    SafePyAVInit,
    SafeTorchCodecInit,
)
from mmxclip.datasets.transforms.photometric import VideoColorJitter, VideoGrayscale
from mmxclip.datasets.transforms.sampling import SegmentSampleFrames

__all__ = [
    'FusedTransforms',
    'InMemoryVideoInit',
    'SafeDecordDecode',
    'SafeDecordInit',
    'SafePyAVInit',
    'SafeTorchCodecInit',
    'SegmentSampleFrames',
    'VideoColorJitter',
    'VideoGrayscale',
]
