"""Transforms that MMAction2 lacks."""

from .sampling import SegmentSampleFrames

__all__ = ['SegmentSampleFrames']
