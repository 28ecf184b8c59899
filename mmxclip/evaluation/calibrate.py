"""Calibrate a checkpoint on scores that a test has dumped."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.calibration import Calibration, write_calibrated
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.save import require_writable
from mmxclip.checkpoints.stored_config import stored_config
from mmxclip.evaluation.calibration import (
    fit_temperature,
    is_probability,
    log_scores,
    summary,
    to_probabilities,
)
from mmxclip.evaluation.dumped_scores import load_samples
from mmxclip.evaluation.reliability_diagram import draw_reliability
from mmxclip.evaluation.unknown import auroc, false_positive_rate, threshold_at
from mmxclip.text import Classes, ClassSource


def calibrate(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    scores: str | os.PathLike,
    *,
    unknown: str | os.PathLike | None = None,
    rate: float = 0.05,
    classes: ClassSource | None = None,
    diagram: str | os.PathLike | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write a checkpoint whose probabilities say how often they are right.

    The temperature that fits validation videos best goes into the head's logit scale;
    accuracy stays, but for views that disagree. Of a model that averages probabilities
    of several views it is exact for dumps of single views (``average_clips=None``); for
    dumps of averaged probabilities the logarithm of the mean takes their place.

    Args:
        checkpoint: The model, which stays as it is.
        out: The file to write.
        scores: Dump of its scores for validation videos (``tools/test.py --dump``).
        unknown: Dump for videos of none of the classes, whose labels do not matter; for
            a threshold of 'none of these'.
        rate: Share of the unknown videos that may reach the threshold.
        classes: The classes. Default: those of the stored config.
        diagram: File for the reliability diagram (.png).
        force: Replace ``out`` and ``diagram``.

    Returns:
        dict: ``temperature``, ``videos``, measures ``before`` and ``after``; with
        ``unknown`` also ``threshold``, and what it and others make of the two lists.

    Raises:
        OSError: A file is missing, is there already, or cannot be written.
        ValueError: They do not fit each other, or no temperature fits the scores.
    """
    if not 0 <= rate < 1:
        raise ValueError(f'rate must be in [0, 1), got {rate}')
    for path in (out, *([diagram] if diagram else [])):
        require_writable(path, 'mmxclip', force=force)
    opened = open_whole(checkpoint)
    logits, labels = _load(scores)
    known = _classes(classes, opened, logits.shape[-1])
    temperature = fit_temperature(logits, labels)
    before, after = (to_probabilities(logits, t) for t in (1.0, temperature))
    found: dict[str, Any] = dict(temperature=temperature, videos=len(labels))
    found |= dict(before=summary(before, labels), after=summary(after, labels))
    threshold = None
    if unknown is not None:
        others = to_probabilities(_load(unknown, like=logits)[0], temperature)
        report = _compare(after.amax(dim=1), others.amax(dim=1), rate)
        found |= report
        threshold = report['threshold']
    calibration = Calibration(
        known, temperature, threshold, None if threshold is None else rate
    )
    if diagram:
        draw_reliability(diagram, dict(before=before, after=after), labels)
    write_calibrated(out, opened, calibration, force=force)
    return found


def _load(path: str | os.PathLike, like: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return logits (N, V, K) and labels (N,) of the videos that were decoded."""
    samples = load_samples(Path(path))
    samples = [sample for sample in samples if not sample.get('undecodable')]
    for sample in samples:
        scores = sample['pred_score']
        if scores.ndim == 1 and not is_probability(scores):
            raise ValueError(
                f'{path} holds means of logits, which are no probabilities to '
                'calibrate: test with model.cls_head.average_clips=None, or prob'
            )
    found = [log_scores(sample['pred_score']) for sample in samples]
    shapes = {each.shape for each in found}
    if len(shapes) != 1 or not all(each.isfinite().all() for each in found):
        raise ValueError(
            f'{path} holds no finite scores of as many views and classes for each video'
        )
    logits = torch.stack(found)
    if like is not None and logits.shape[1:] != like.shape[1:]:
        raise ValueError(
            f'{path} has scores of {logits.shape[1]} views and {logits.shape[2]} '
            f'classes, the other dump of {like.shape[1]} and {like.shape[2]}'
        )
    labels = torch.tensor([int(sample['gt_label']) for sample in samples])
    if like is None and not (labels.min() >= 0 and labels.max() < logits.shape[2]):
        raise ValueError(
            f'{path} has labels from {labels.min()} to {labels.max()}, but scores of '
            f'{logits.shape[2]} classes; videos of none of them go into --unknown'
        )
    return logits, labels


def _classes(classes: ClassSource | None, opened: Opened, count: int) -> Classes:
    if classes is None:
        head = (stored_config(opened.extras).get('model') or {}).get('cls_head') or {}
        classes = head.get('classes')
    if classes is None:
        raise ValueError(
            f'{opened.name} holds no config with class names, for which a calibration '
            'counts: give them (--classes)'
        )
    known = Classes.of(classes)
    if len(known) != count:
        raise ValueError(f'there are {len(known)} class names and {count} scores')
    return known


def _compare(known: Tensor, unknown: Tensor, rate: float) -> dict[str, float]:
    threshold = threshold_at(unknown, rate)
    return dict(
        unknown_videos=len(unknown),
        auroc=auroc(known, unknown),
        fpr95=false_positive_rate(known, unknown),
        threshold=threshold,
        unknown_accepted=float((unknown >= threshold).double().mean()),
        known_accepted=float((known >= threshold).double().mean()),
    )
