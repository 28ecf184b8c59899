"""Inference on videos with free-text classes."""

from mmxclip.apis.picture import draw_prediction
from mmxclip.apis.xclip_inferencer import XCLIPInferencer, picture_paths

__all__ = ['XCLIPInferencer', 'draw_prediction', 'picture_paths']
