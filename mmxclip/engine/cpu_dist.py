"""Several processes on a machine without a GPU."""

import torch
import torch.distributed as dist
from mmengine.config import Config


def init_cpu_dist(cfg: Config) -> None:
    """Start a gloo process group before the Runner does, where there is no GPU.

    MMEngine's launcher code calls ``torch.cuda.set_device`` whatever the backend;
    it leaves a group alone that exists already. Does nothing with a GPU.

    Args:
        cfg: Config of the run; its ``model_wrapper_cfg`` is completed, because the
            Runner's default passes ``device_ids``, which DDP refuses on the CPU.
    """
    if torch.cuda.is_available() or dist.is_initialized():
        return
    dist.init_process_group(backend='gloo')
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        # the Runner reads this key only when there is no model_wrapper_cfg
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper.update(cfg.get('model_wrapper_cfg') or {})
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)
