"""Heads."""

from mmxclip.models.heads.best_prompted_head import BestPromptedHead
from mmxclip.models.heads.multi_label_head import MultiLabelHead
from mmxclip.models.heads.xclip_head import XCLIPHead

__all__ = ['BestPromptedHead', 'MultiLabelHead', 'XCLIPHead']
