"""Transforms that MMAction2 lacks."""

from .loading import SafeDecordDecode, SafeDecordInit
from .photometric import VideoColorJitter, VideoGrayscale
from .sampling import SegmentSampleFrames

__all__ = [
    'SafeDecordDecode',
    'SafeDecordInit',
    'SegmentSampleFrames',
    'VideoColorJitter',
    'VideoGrayscale',
]
