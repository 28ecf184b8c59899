"""Transforms that MMAction2 lacks."""

from .fused import FusedTransforms
from .in_memory import InMemoryVideoInit
from .loading import (
    SafeDecordDecode,
    SafeDecordInit,
    SafePyAVInit,
    SafeTorchCodecInit,
)
from .photometric import VideoColorJitter, VideoGrayscale
from .sampling import SegmentSampleFrames

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
