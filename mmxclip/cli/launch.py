"""What the commands that run configs have in common."""

import argparse
import ast
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from mmaction.registry import RUNNERS
from mmaction.utils import get_str_type
from mmengine.config import Config, DictAction
from mmengine.dist import init_dist, is_distributed
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from mmxclip.utils.checks import check_config_file

# What our commands do whatever the config says: refuse labels without a class; let
# load_from take every published file, and tests none that leaves weights random.
_HOOKS = dict(labels='CheckLabelsHook', convert='ConvertCheckpointHook')


# Blanks inside a value or an item, not those beside commas and brackets.
_INNER_BLANKS = re.compile(r'(?<=[^ ,(\[]) +(?=[^ ,)\]])')


class Options(DictAction):
    """``--cfg-options`` that says which option is wrong, and keeps blanks in values.

    Lists are written as for MMEngine, ``1,2`` or ``[1,(a,b)]``, but blanks inside an
    item stay, as in ``[playing guitar, a dog runs]``. What has quotes and is a value of
    Python is taken as Python takes it, so an item may hold commas and brackets, too:
    ``['one, two', 'three (3)']``.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Collect the options KEY=VALUE."""
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string} takes KEY=VALUE, got {value!r}')
        super().__call__(parser, namespace, values, option_string)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        """Read one value; MMEngine's parser would close up all blanks."""
        if "'" in val or '"' in val:
            try:
                literal = ast.literal_eval(val)
            except (ValueError, SyntaxError):
                pass
            else:  # a,b is a list for MMEngine, with quotes or without
                bare = isinstance(literal, tuple) and not val.startswith('(')
                return list(literal) if bare else literal
        marked = _INNER_BLANKS.sub(lambda blanks: '\0' * len(blanks[0]), val)
        return _with_blanks(DictAction._parse_iterable(marked))


def _with_blanks(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_with_blanks(item) for item in value)
    return value.replace('\0', ' ') if isinstance(value, str) else value


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing take."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help='folder for logs, checkpoints and results '
        '(default: work_dir of the config, or work_dirs/<name of the config>)',
    )
    add_launch_arguments(parser)


def add_launch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that runs configs."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, e.g. '
        'train_dataloader.batch_size=4 or key="[1,2]"',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job were started',
    )
    # torch.distributed.launch passes it; torchrun sets LOCAL_RANK instead.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def configure(
    args: argparse.Namespace,
    apply_options: Callable[[Config, argparse.Namespace], None],
) -> Config:
    """Return the config with all options applied; what cannot be ends in a message.

    Args:
        args: The command line.
        apply_options: Applies the command's own options.

    Raises:
        SystemExit: With one line that says what is wrong.
    """
    try:
        cfg = load_config(args)
        apply_options(cfg, args)
    except (OSError, ValueError, SyntaxError) as error:
        sys.exit(f'error: {error}')
    return cfg


def read_config(path: str | os.PathLike, options: dict | None = None) -> Config:
    """Read a config, and set the options of ``--cfg-options``.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It is no config, or an option does not fit it.
    """
    cfg = Config.fromfile(check_config_file(path))
    try:
        cfg.merge_from_dict(options or {})
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(
            f'--cfg-options does not fit {os.fspath(path)}: a key leads into something '
            f'that has no such part ({error})'
        ) from error
    return cfg


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the common options ask for, and check how it is launched.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It is no config, or has no model; or the launcher is not that of
            these processes.
    """
    cfg = read_config(args.config, args.cfg_options)
    if not isinstance(cfg.get('model'), dict):
        raise ValueError(
            f'{args.config} has no model, so it is only a part of a config.'
        )
    if args.launcher == 'pytorch' and 'RANK' not in os.environ:
        raise ValueError(
            '--launcher pytorch is for processes that torchrun starts, see '
            'tools/dist_train.sh; leave it out for a single process.'
        )
    cfg.launcher = args.launcher
    cfg.default_hooks = cfg.get('default_hooks') or {}
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build the config's runner; distributed jobs without a GPU talk over gloo."""
    add_hooks(cfg)
    if _is_cpu_job(cfg):
        init_cpu_dist(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


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
    types = [get_str_type(h.get('type', '')) for h in given if isinstance(h, dict)]
    for name, kind in _HOOKS.items():
        if kind not in types:
            hooks.setdefault(name, dict(type=kind))
        if name in hooks and hooks[name] is None:  # MMEngine takes it for its own only
            del hooks[name]
    cfg.default_hooks = hooks


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
