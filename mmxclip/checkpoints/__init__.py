"""Checkpoints: one way from a file into a model, and one back."""

from mmxclip.checkpoints.parts import (
    PretrainedPart,
    fresh_names,
    full_shape,
    plain_name,
)
from mmxclip.checkpoints.report import CheckpointError

__all__ = [
    'CheckpointError',
    'PretrainedPart',
    'fresh_names',
    'full_shape',
    'plain_name',
]
