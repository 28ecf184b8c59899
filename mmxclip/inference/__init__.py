"""Answers for people's own videos: the inferencer and the pictures of what it saw."""

from mmxclip.inference.picture import draw_prediction, picture_paths
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

__all__ = ['XCLIPInferencer', 'draw_prediction', 'picture_paths']
