"""Recognizers whose training state is spread over processes (FSDP)."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmaction.registry import MODEL_WRAPPERS
from mmengine.model import MMFullyShardedDataParallel
from torch import nn
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

from mmxclip.layers import ResidualAttentionBlock


@MODEL_WRAPPERS.register_module()
class ShardedRecognizer(MMFullyShardedDataParallel):
    """Shard a recognizer block by block, for `ShardedStrategy`.

    Frozen parameters stay whole on every process: they have neither gradients nor
    optimizer state, and the head keeps class features that came from them. Sharded
    parameters remember their shape, see `full_shape`.

    Args:
        module: The recognizer.
        **kwargs: Arguments of ``MMFullyShardedDataParallel``.

    Raises:
        ValueError: A scalar is to be learned, which FSDP cannot shard.
    """

    def __init__(self, module: nn.Module, **kwargs: Any) -> None:
        for name, parameter in module.named_parameters():
            if parameter.requires_grad and parameter.ndim == 0:
                raise ValueError(
                    f'{name} is a scalar and not frozen, which FSDP cannot shard. '
                    'Freeze it (frozen=True of the text encoder freezes logit_scale).'
                )
        if not torch.cuda.is_available():
            kwargs['device_id'] = torch.device('cpu')  # MMEngine gives that of a GPU
        # The cross-frame block is one, too.
        kwargs.setdefault(
            'auto_wrap_policy', ModuleWrapPolicy({ResidualAttentionBlock})
        )
        for parameter in module.parameters():
            parameter.full_shape = tuple(parameter.shape)  # shards are flat
        frozen = [p for p in module.parameters() if not p.requires_grad]
        super().__init__(module, ignored_states=frozen, **kwargs)

    def no_sync(self) -> AbstractContextManager[None]:
        """Synchronise all the same: gradients that are accumulated stay spread."""
        return nullcontext()
