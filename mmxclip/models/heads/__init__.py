"""Heads."""

from mmxclip.models.heads.xclip_head import XCLIPHead

__all__ = ['XCLIPHead']
