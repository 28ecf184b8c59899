"""From the options of a command to the runner of its config."""

import inspect
import os
import uuid
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from mmaction.registry import RUNNERS
from mmaction.utils import get_str_type
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from mmxclip.utils.checks import check_config_file

# What our commands do whatever the config says: refuse labels without a class; let
# load_from take every published file, and tests none that leaves weights random; draw
# as a training that was never stopped.
_HOOKS = dict(
    labels='CheckLabelsHook', convert='ConvertCheckpointHook', seed='SeedHook'
)
# Hooks of MMEngine, which ours extend.
_REPLACED = dict(CheckpointHook='SafeCheckpointHook', LoggerHook='BriefLoggerHook')
# What MMEngine reads of a config beside the arguments of its Runner.
_OTHER_KEYS = {
    'activation_checkpointing',
    'auto_scale_lr',
    'compile',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'strategy',
    'sync_bn',
}


def read_config(path: str | os.PathLike, options: dict | None = None) -> Config:
    """Read a config, and set the options of ``--cfg-options``.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It is no config, or an option does not fit it.
    """
    cfg = Config.fromfile(check_config_file(path))
    allowed = {*cfg, *inspect.signature(Runner).parameters, *_OTHER_KEYS}
    for key in options or {}:
        if (top := key.split('.')[0]) not in allowed:
            near = get_close_matches(top, allowed, n=1) or sorted(cfg)
            raise ValueError(
                f'--cfg-options {key}: nothing reads {top!r} of {os.fspath(path)}; '
                f'there is {", ".join(near)}'
            )
    try:
        cfg.merge_from_dict(options or {})
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(
            f'--cfg-options does not fit {os.fspath(path)}: a key leads into something '
            f'that has no such part ({error})'
        ) from error
    return cfg


def load_config(
    config: str | os.PathLike,
    *,
    cfg_options: dict | None = None,
    work_dir: str | None = None,
    launcher: str = 'none',
    local_rank: int = 0,
) -> Config:
    """Read a config for its runner, and check how it is launched.

    Args:
        config: The file.
        cfg_options: Settings that replace those of the config.
        work_dir: Folder for logs, checkpoints and results. Default: the config's, or
            work_dirs/<name of the config>.
        launcher: How the processes of a distributed job were started: ``'none'``,
            ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        local_rank: What torch.distributed.launch passes; torchrun sets LOCAL_RANK.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It is no config, or has no model; or the launcher is not that of
            these processes.
    """
    cfg = read_config(config, cfg_options)
    if not isinstance(cfg.get('model'), dict):
        raise ValueError(f'{config} has no model, so it is only a part of a config.')
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise ValueError(
            '--launcher pytorch is for processes that torchrun starts, see '
            'tools/dist_train.sh; leave it out for a single process.'
        )
    cfg.launcher = launcher
    cfg.default_hooks = cfg.get('default_hooks') or {}
    cfg.work_dir = (
        work_dir or cfg.get('work_dir') or str(Path('work_dirs', Path(config).stem))
    )
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build the config's runner; distributed jobs without a GPU talk over gloo."""
    add_hooks(cfg)
    seed_batches(cfg)
    if _is_cpu_job(cfg):
        init_cpu_dist(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def own_name(work_dir: str | os.PathLike) -> str:
    """Return a name of an experiment that no other one has.

    MMEngine keeps loggers and message hubs by it, which runs of one folder's name that
    start in the same second would share.
    """
    return f'{Path(work_dir).name}-{uuid.uuid4().hex[:8]}'


def start_processes(cfg: Config) -> None:
    """Start the process group of a distributed job, before there is a runner."""
    if _is_cpu_job(cfg):
        init_cpu_dist(cfg)
    elif cfg.get('launcher', 'none') != 'none' and not is_distributed():
        env = cfg.get('env_cfg') or {}
        set_multi_processing(**env.get('mp_cfg', {}), distributed=True)  # as Runner
        init_dist(cfg.launcher, **env.get('dist_cfg', {}))


def _is_cpu_job(cfg: Config) -> bool:
    return cfg.get('launcher') == 'pytorch' and not torch.cuda.is_available()


def add_hooks(cfg: Config) -> None:
    """Give our hooks to a config that was not made from ours, too.

    One that is None in ``default_hooks`` is left out.
    """
    hooks = dict(cfg.get('default_hooks') or {})
    given = [*hooks.values(), *(cfg.get('custom_hooks') or [])]
    types = [_type_of(hook) for hook in given]
    for name, kind in _HOOKS.items():
        if kind not in types:
            hooks.setdefault(name, dict(type=kind))
        if name in hooks and hooks[name] is None:  # MMEngine takes it for its own only
            del hooks[name]
    hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    hooks.setdefault('logger', dict(type='LoggerHook'))
    for name, hook in hooks.items():
        if (kind := _type_of(hook)) in _REPLACED:
            hooks[name] = dict(hook, type=_REPLACED[kind])
    cfg.default_hooks = hooks


def _type_of(config: Any) -> str:
    return get_str_type(config.get('type', '')) if isinstance(config, dict) else ''


def seed_batches(cfg: Config) -> None:
    """Let the samples of MMEngine's samplers draw by themselves."""
    loader = cfg.get('train_dataloader') or {}
    if _type_of(loader.get('sampler')) not in ('DefaultSampler', 'InfiniteSampler'):
        return
    if not loader.get('batch_sampler'):
        loader['batch_sampler'] = dict(type='SeededBatchSampler')
    if 'drop_last' in loader:  # the batch sampler's, where there is one
        loader['batch_sampler'].setdefault('drop_last', loader.pop('drop_last'))


def init_cpu_dist(cfg: Config) -> None:
    """Start the process group on CPUs, where MMEngine's launcher asks for CUDA.

    MMEngine leaves a running process group alone. Its wrapper of the model would put
    the local rank into ``device_ids``, which torch refuses for models on a CPU.

    Args:
        cfg: Config whose ``model_wrapper_cfg`` is set.
    """
    if not dist.is_initialized():
        dist.init_process_group(backend='gloo')
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        find_unused_parameters=cfg.get('find_unused_parameters', False),
        broadcast_buffers=False,
    )
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)
