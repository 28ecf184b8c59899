"""Answers for people's own videos: the inferencer and the pictures of what it saw."""

from mmxclip.inference.xclip_inferencer import XCLIPInferencer

__all__ = ['XCLIPInferencer']
