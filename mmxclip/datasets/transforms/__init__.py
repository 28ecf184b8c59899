"""Transforms that MMAction2 lacks."""

from .loading import SafeDecordDecode, SafeDecordInit
from .sampling import SegmentSampleFrames

__all__ = ['SafeDecordDecode', 'SafeDecordInit', 'SegmentSampleFrames']
