"""Backbones."""

from mmxclip.models.backbones.frame_encoder import FrameEncoder
from mmxclip.models.backbones.hf_vision_tower import HFVisionTower
from mmxclip.models.backbones.token_merging_xclip_vit import TokenMergingXCLIPViT
from mmxclip.models.backbones.xclip_vit import XCLIPViT

__all__ = ['FrameEncoder', 'HFVisionTower', 'TokenMergingXCLIPViT', 'XCLIPViT']
