"""Backbones."""

from mmxclip.models.backbones.xclip_vit import XCLIPViT

__all__ = ['XCLIPViT']
