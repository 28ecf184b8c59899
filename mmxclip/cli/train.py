"""Training as ``tools/train.py`` does it."""

import os
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from mmxclip.checkpoints.zoo import check_checkpoint
from mmxclip.cli.launch import build_runner, load_config
from mmxclip.engine.last_checkpoint import last_checkpoint


def train(config: str | os.PathLike, **options: Any) -> None:
    """Train as the command line asks for; see :func:`training_config`."""
    cfg = training_config(config, **options)  # which errors are told by
    build_runner(cfg).train()


def training_config(
    config: str | os.PathLike,
    *,
    resume: str | None = None,
    amp: bool = False,
    no_validate: bool = False,
    auto_scale_lr: bool = False,
    seed: int | None = None,
    diff_rank_seed: bool = False,
    deterministic: bool = False,
    **launch: Any,
) -> Config:
    """Read a config, and write the options of training into it.

    Args:
        config: The file.
        resume: Checkpoint to go on from, see :func:`go_on`.
        amp: Mixed precision, see :func:`enable_amp`.
        no_validate: Do not evaluate while training.
        auto_scale_lr: See :func:`scale_rate`.
        seed: Random seed. Default: the config's.
        diff_rank_seed: Another seed for each process.
        deterministic: Deterministic kernels of cuDNN.
        **launch: Arguments of :func:`.load_config`.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: A setting or an option is wrong, or the config lacks what it needs.
    """
    cfg = load_config(config, **launch)
    if not cfg.get('train_cfg'):
        raise ValueError(f'{config} lacks train_cfg: it is for tools/test.py only')
    if no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        # There will be no score to keep the best checkpoint by.
        (cfg.default_hooks.get('checkpoint') or {}).pop('save_best', None)
    if amp:
        enable_amp(cfg)
    if resume:
        go_on(cfg, resume)
    if auto_scale_lr:
        scale_rate(cfg)
    randomness = dict(seed=None) | (cfg.get('randomness') or {})
    if seed is not None:
        randomness['seed'] = seed
    if diff_rank_seed:
        randomness['diff_rank_seed'] = True
    if deterministic:
        randomness['deterministic'] = True
    cfg.randomness = randomness
    return cfg


def go_on(cfg: Config, checkpoint: str) -> None:
    """Let training go on from a checkpoint.

    Args:
        cfg: The config, which is changed.
        checkpoint: It, or 'auto' for the last one in the work folder. Where there is
            none yet, training starts as if not asked to go on: from ``load_from``.

    Raises:
        FileNotFoundError: There is no such checkpoint.
    """
    if checkpoint != 'auto':
        check_checkpoint(checkpoint)
        cfg.resume, cfg.load_from = True, checkpoint
    elif latest := last_checkpoint(cfg.work_dir):
        cfg.resume, cfg.load_from = True, latest
    else:
        cfg.resume = False
        print_log(f'--resume: no checkpoint in {cfg.work_dir} yet, training starts')


def scale_rate(cfg: Config) -> None:
    """Let the learning rate follow the real batch size.

    Raises:
        ValueError: The config does not say what it was chosen for.
    """
    if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
        raise ValueError(
            '--auto-scale-lr needs auto_scale_lr.base_batch_size in the config: '
            'the batch size that the learning rate was chosen for.'
        )
    if (cfg.get('strategy') or {}).get('type') == 'DeepSpeedStrategy':
        raise ValueError(
            '--auto-scale-lr does not reach DeepSpeed: scale '
            'optim_wrapper.optimizer.lr by hand.'
        )
    cfg.auto_scale_lr.enable = True


def enable_amp(cfg: Config) -> None:
    """Choose the mixed-precision wrapper that the machine can run.

    Raises:
        ValueError: The config has a wrapper of its own, or none.
    """
    if not cfg.get('optim_wrapper'):
        raise ValueError('--amp needs optim_wrapper in the config, and there is none.')
    wrapper = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if wrapper == 'AutocastOptimWrapper':
        return
    if wrapper not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError(f'--amp cannot replace the optimizer wrapper {wrapper!r}.')
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
        return
    cfg.optim_wrapper.type = 'AutocastOptimWrapper'
    for option in ('loss_scale', 'dtype', 'use_fsdp'):
        cfg.optim_wrapper.pop(option, None)
