"""Text towers: texts -> tokens -> embeddings."""

from mmxclip.models.text_encoders.base import TextEncoder
from mmxclip.models.text_encoders.clip_text_encoder import CLIPTextEncoder

__all__ = ['CLIPTextEncoder', 'TextEncoder']
