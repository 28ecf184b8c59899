"""Inference on videos with free-text classes."""

from .picture import draw_prediction
from .xclip_inferencer import XCLIPInferencer, picture_paths

__all__ = ['XCLIPInferencer', 'draw_prediction', 'picture_paths']
