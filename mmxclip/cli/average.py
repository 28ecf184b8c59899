"""Averages of checkpoints, chosen by what they recognise."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import harmonic_mean
from typing import Any

from mmengine.runner import Runner

from mmxclip.checkpoints.average import Interpolation, average_files
from mmxclip.checkpoints.layouts import StateDict
from mmxclip.checkpoints.save import OURS, require_writable
from mmxclip.cli.launch import build_runner, load_config

ALPHAS = tuple(n / 10 for n in range(11))
METRIC = 'acc/top1'
Curve = list[dict[str, float]]


def average(
    out: str | os.PathLike,
    checkpoints: Sequence[str | os.PathLike],
    *,
    start: str | os.PathLike | None = None,
    alpha: float | None = None,
    validate: Sequence[str] = (),
    cfg_options: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Curve:
    """Write the mean of checkpoints, or a point between a model and its start.

    Args:
        out: The file to write.
        checkpoints: Several of one model for their mean; one for a point.
        start: What its training started from, see :class:`Interpolation`.
        alpha: Weight of the fine-tuned model.
        validate: Configs, in place of ``alpha``: that with the highest harmonic mean of
            their validations' top-1 is chosen from ``ALPHAS``.
        cfg_options: Settings that replace those of the configs.
        force: Replace ``out``.

    Returns:
        What was measured at each alpha: ``alpha``, top-1 by config, ``mean``.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: They do not fit each other, or the arguments do not.
    """
    if start is None:
        if len(checkpoints) < 2 or alpha is not None or validate:
            raise ValueError(
                'give several checkpoints for their mean, or one with --start and '
                '--alpha or --validate'
            )
    elif len(checkpoints) != 1 or (alpha is None) == (not validate):
        raise ValueError(
            '--start takes one checkpoint, and either --alpha or --validate'
        )
    require_writable(out, OURS, force=force)
    if start is None:
        average_files(checkpoints, out, force=force)
        return []
    line = Interpolation.of(start, checkpoints[0])
    curve: Curve = []
    if alpha is None:
        curve = measure(line, validate, cfg_options)
        # Of equal ones that which has left the start least.
        alpha = max(curve, key=lambda point: point['mean'])['alpha']
    line.write(alpha, out, force=force)
    return curve


def measure(
    line: Interpolation,
    configs: Sequence[str],
    cfg_options: Mapping[str, Any] | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> Curve:
    """Validate the points of a line; see :func:`average`."""
    runners = {Path(config).stem: _runner(config, cfg_options) for config in configs}
    if len(runners) < len(configs):
        raise ValueError(f'two of the configs {list(configs)} have one name')
    curve = []
    for alpha in alphas:
        weights = line.at(alpha)
        found = {name: _validate(each, weights) for name, each in runners.items()}
        mean = harmonic_mean(list(found.values()))
        curve.append(dict(alpha=alpha, **found, mean=mean))
    return curve


def _runner(config: str, cfg_options: Mapping[str, Any] | None) -> Runner:
    cfg = load_config(config, cfg_options=dict(cfg_options or {}))
    if not (cfg.get('val_dataloader') and cfg.get('val_evaluator')):
        raise ValueError(f'{config} has no val_dataloader or no val_evaluator')
    # A runner that only validates would still look for the best checkpoint to save.
    cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    cfg.test_cfg = dict(type='TestLoop')
    cfg.load_from = None
    return build_runner(cfg)


def _validate(runner: Runner, weights: StateDict) -> float:
    runner.model.load_state_dict(weights, strict=False)
    found = runner.test()
    if METRIC not in found:
        raise ValueError(f'the validation reports {list(found)}, but no {METRIC}')
    return float(found[METRIC])
