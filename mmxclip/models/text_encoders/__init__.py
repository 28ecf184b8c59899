"""Text towers: texts -> tokens -> embeddings."""

from mmxclip.models.text_encoders.base import TextEncoder
from mmxclip.models.text_encoders.clip_text_encoder import CLIPTextEncoder
from mmxclip.models.text_encoders.hf_text_encoder import HFTextEncoder

__all__ = ['CLIPTextEncoder', 'HFTextEncoder', 'TextEncoder']
