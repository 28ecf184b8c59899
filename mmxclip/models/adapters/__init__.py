"""Adapters: what learns in a tower whose own weights rest."""

from mmxclip.models.adapters.attach import add_adapters, merge_adapters
from mmxclip.models.adapters.bottleneck import BottleneckAdapter, TemporalAdapter
from mmxclip.models.adapters.lora import LoRA
from mmxclip.models.adapters.low_rank_messages import LowRankMessages
from mmxclip.models.adapters.prompt_tokens import PromptTokens
from mmxclip.models.adapters.st_adapter import STAdapter

__all__ = [
    'BottleneckAdapter',
    'LoRA',
    'LowRankMessages',
    'PromptTokens',
    'STAdapter',
    'TemporalAdapter',
    'add_adapters',
    'merge_adapters',
]
