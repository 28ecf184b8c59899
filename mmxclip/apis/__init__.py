"""What commands and notebooks call: inference, launching, protocols, benchmarks."""

from mmxclip.apis.picture import draw_prediction, picture_paths
from mmxclip.apis.xclip_inferencer import XCLIPInferencer

__all__ = ['XCLIPInferencer', 'draw_prediction', 'picture_paths']
