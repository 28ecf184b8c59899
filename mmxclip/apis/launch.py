"""What the training and the test command have in common."""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from mmaction.registry import RUNNERS
from mmengine.config import Config, DictAction
from mmengine.runner import Runner


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both commands take."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results '
        '(default: work_dir of the config, or work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, e.g. '
        'train_dataloader.batch_size=4 or key="[1,2]" (quoted, without spaces)',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    # torch.distributed.launch passes it; torchrun sets LOCAL_RANK instead.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the common options ask for.

    Raises:
        FileNotFoundError: There is no such config.
    """
    if not Path(args.config).is_file():
        raise FileNotFoundError(
            f'There is no config {args.config!r}. Configs are in configs/; '
            '`mim search mmxclip` lists the published ones.'
        )
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build the config's runner; distributed jobs without a GPU talk over gloo."""
    if cfg.launcher == 'pytorch' and not torch.cuda.is_available():
        init_cpu_dist(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


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
