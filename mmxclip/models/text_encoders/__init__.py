"""Text towers."""

from mmxclip.models.text_encoders.clip_text_encoder import CLIPTextEncoder

__all__ = ['CLIPTextEncoder']
