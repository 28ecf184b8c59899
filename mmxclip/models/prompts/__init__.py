"""Prompt learners: class features, visual context -> class features per video."""

from mmxclip.models.prompts.video_specific import VideoSpecificPrompt

__all__ = ['VideoSpecificPrompt']
