"""Optimizer wrappers, constructors, schedulers and hooks that the host lacks."""

from mmxclip.checkpoints.host import CLIPPretrained, ConvertCheckpointHook
from mmxclip.engine.fsdp.sharded_recognizer import ShardedRecognizer
from mmxclip.engine.fsdp.sharded_runner import ShardedRunner
from mmxclip.engine.fsdp.sharded_strategy import ShardedStrategy
from mmxclip.engine.hooks.brief_logger_hook import BriefLoggerHook
from mmxclip.engine.hooks.check_labels_hook import CheckLabelsHook
from mmxclip.engine.hooks.compile_hook import CompileHook
from mmxclip.engine.hooks.safe_checkpoint_hook import SafeCheckpointHook
from mmxclip.engine.hooks.seed_hook import SeedHook
from mmxclip.engine.optim.autocast_optim_wrapper import AutocastOptimWrapper
from mmxclip.engine.optim.grouped_optim_wrapper_constructor import (
    GroupedOptimWrapperConstructor,
)
from mmxclip.engine.optim.warmup_cosine_lr import WarmupCosineLR
from mmxclip.engine.whole_files_backend import WholeFilesBackend

__all__ = [
    'AutocastOptimWrapper',
    'BriefLoggerHook',
    'CLIPPretrained',
    'CheckLabelsHook',
    'CompileHook',
    'ConvertCheckpointHook',
    'GroupedOptimWrapperConstructor',
    'SafeCheckpointHook',
    'SeedHook',
    'ShardedRecognizer',
    'ShardedRunner',
    'ShardedStrategy',
    'WarmupCosineLR',
    'WholeFilesBackend',
]
