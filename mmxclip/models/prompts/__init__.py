"""Prompt learners: class features, visual context -> class features per video."""

from mmxclip.models.prompts.base import PromptLearner
from mmxclip.models.prompts.content import ContentPrompt
from mmxclip.models.prompts.context_vectors import ContextVectors
from mmxclip.models.prompts.video_specific import VideoSpecificPrompt

__all__ = ['ContentPrompt', 'ContextVectors', 'PromptLearner', 'VideoSpecificPrompt']
