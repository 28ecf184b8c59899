"""Training state that is spread over processes (FSDP), saved whole and read again."""

from typing import Any

import torch
from mmengine._strategy import FSDPStrategy
from mmengine.optim import BaseOptimWrapper
from mmengine.registry import STRATEGIES
from torch.distributed.fsdp import (
    FullOptimStateDictConfig,
    FullStateDictConfig,
    FullyShardedDataParallel,
    StateDictType,
)


@STRATEGIES.register_module()
class ShardedStrategy(FSDPStrategy):
    """MMEngine's ``FSDPStrategy`` with whole checkpoints, made to resume and to clip.

    Args:
        **kwargs: Arguments of ``FSDPStrategy``.
    """

    def __init__(self, **kwargs: Any) -> None:
        # 'full' moves tensors to the CPU. Where they are there already, torch 2.13
        # crashes or lets both moments of Adam share their memory.
        in_place = dict(rank0_only=True, offload_to_cpu=False)
        on_cpu = dict(
            state_dict_type=StateDictType.FULL_STATE_DICT,
            state_dict_config=FullStateDictConfig(**in_place),
            optim_state_dict_config=FullOptimStateDictConfig(**in_place),
        )
        kwargs.setdefault(
            'state_dict_cfg', 'full' if torch.cuda.is_available() else on_cpu
        )
        super().__init__(**kwargs)

    def build_optim_wrapper(
        self, optim_wrapper: Any, model: Any = None
    ) -> BaseOptimWrapper:
        """Build it, to clip gradients by the norm of all shards, not of its own.

        Raises:
            ValueError: ``clip_grad`` asks for more than FSDP can.
        """
        built = super().build_optim_wrapper(optim_wrapper, model)
        if getattr(built, 'clip_func', None) is torch.nn.utils.clip_grad_norm_:
            if other := set(built.clip_grad_kwargs) - {'max_norm', 'norm_type'}:
                raise ValueError(
                    'clip_grad takes max_norm and norm_type with FSDP, not '
                    f'{sorted(other)}'
                )
            built.clip_func = lambda _, **kwargs: model.clip_grad_norm_(**kwargs)
        return built

    def load_optim_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the optimizer's state; MMEngine 0.10.7 follows torch 2.0's arguments."""
        shard = FullyShardedDataParallel.optim_state_dict_to_load(
            model=self.model,
            optim=self.optim_wrapper.optimizer,
            optim_state_dict=state_dict,
        )
        self.optim_wrapper.load_state_dict(shard)
