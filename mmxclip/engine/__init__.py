"""Optimizer wrappers, constructors, schedulers and hooks that the host lacks."""

from .autocast_optim_wrapper import AutocastOptimWrapper
from .clip_pretrained import CLIPPretrained
from .grouped_optim_wrapper_constructor import GroupedOptimWrapperConstructor
from .warmup_cosine_lr import WarmupCosineLR
from .weights import ConvertCheckpointHook

__all__ = [
    'AutocastOptimWrapper',
    'CLIPPretrained',
    'ConvertCheckpointHook',
    'GroupedOptimWrapperConstructor',
    'WarmupCosineLR',
]
