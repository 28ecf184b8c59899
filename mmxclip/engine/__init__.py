"""Optimizer wrappers, constructors, schedulers and hooks that the host lacks."""

from mmxclip.engine.autocast_optim_wrapper import AutocastOptimWrapper
from mmxclip.engine.check_labels_hook import CheckLabelsHook
from mmxclip.engine.clip_pretrained import CLIPPretrained
from mmxclip.engine.compile_hook import CompileHook
from mmxclip.engine.grouped_optim_wrapper_constructor import (
    GroupedOptimWrapperConstructor,
)
from mmxclip.engine.sharded_recognizer import ShardedRecognizer
from mmxclip.engine.sharded_runner import ShardedRunner
from mmxclip.engine.sharded_strategy import ShardedStrategy
from mmxclip.engine.warmup_cosine_lr import WarmupCosineLR
from mmxclip.engine.weights import ConvertCheckpointHook

__all__ = [
    'AutocastOptimWrapper',
    'CLIPPretrained',
    'CheckLabelsHook',
    'CompileHook',
    'ConvertCheckpointHook',
    'GroupedOptimWrapperConstructor',
    'ShardedRecognizer',
    'ShardedRunner',
    'ShardedStrategy',
    'WarmupCosineLR',
]
