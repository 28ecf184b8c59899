"""Backbone, neck, head and their parts, registered in MMAction2."""

from mmxclip.models.adapters import (
    BottleneckAdapter,
    LoRA,
    LowRankMessages,
    PromptTokens,
    STAdapter,
    TemporalAdapter,
)
from mmxclip.models.backbones import (
    FrameEncoder,
    HFVisionTower,
    TokenMergingXCLIPViT,
    XCLIPViT,
)
from mmxclip.models.class_texts import ClassTexts
from mmxclip.models.encode_video import encode_video
from mmxclip.models.heads import BestPromptedHead, MultiLabelHead, XCLIPHead
from mmxclip.models.necks import MIT
from mmxclip.models.prompts import (
    ContentPrompt,
    ContextVectors,
    PromptLearner,
    VideoSpecificPrompt,
)
from mmxclip.models.recognizers import DistilledRecognizer, InterpolatedRecognizer
from mmxclip.models.text_encoders import CLIPTextEncoder, HFTextEncoder, TextEncoder

__all__ = [
    'MIT',
    'BestPromptedHead',
    'BottleneckAdapter',
    'CLIPTextEncoder',
    'ClassTexts',
    'ContentPrompt',
    'ContextVectors',
    'DistilledRecognizer',
    'FrameEncoder',
    'HFTextEncoder',
    'HFVisionTower',
    'InterpolatedRecognizer',
    'LoRA',
    'LowRankMessages',
    'MultiLabelHead',
    'PromptLearner',
    'PromptTokens',
    'STAdapter',
    'TemporalAdapter',
    'TextEncoder',
    'TokenMergingXCLIPViT',
    'VideoSpecificPrompt',
    'XCLIPHead',
    'XCLIPViT',
    'encode_video',
]
