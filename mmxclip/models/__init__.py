"""Backbone, neck, head and their parts, registered in MMAction2."""

from mmxclip.models.backbones import XCLIPViT
from mmxclip.models.heads import XCLIPHead
from mmxclip.models.necks import MIT
from mmxclip.models.prompts import VideoSpecificPrompt
from mmxclip.models.text_encoders import CLIPTextEncoder

__all__ = ['MIT', 'CLIPTextEncoder', 'VideoSpecificPrompt', 'XCLIPHead', 'XCLIPViT']
