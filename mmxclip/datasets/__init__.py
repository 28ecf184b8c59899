"""Data sets, readers and transforms, registered in MMAction2."""

from .transforms import SegmentSampleFrames

__all__ = ['SegmentSampleFrames']
