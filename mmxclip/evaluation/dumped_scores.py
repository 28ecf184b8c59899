"""Scores that a test has written, evaluated again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.fileio import load
from mmengine.registry import DefaultScope


def evaluate_scores(
    scores: Sequence[Path],
    classes: str | None = None,
    report: Path | None = None,
    topk: Sequence[int] = (1, 5),
) -> dict[str, float]:
    """Return what our metrics say about dumped scores.

    Args:
        scores: Files of one list of videos; their scores are averaged.
        classes: Class names of the report.
        report: Folder of the report of ``ClassReport``; None for none.
        topk: Numbers of best classes among which the right one counts.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file holds no scores, or those of another list or other classes.
    """
    options = dict(top_k_accuracy=dict(topk=tuple(topk)))
    metrics: list[dict[str, Any]] = [
        dict(type='VideoAccMetric', metric_options=options)
    ]
    if report:
        metrics.append(dict(type='ClassReport', out_dir=report, classes=classes))
    samples = load_scores(scores)
    with DefaultScope.overwrite_default_scope('mmaction'):
        found = Evaluator(metrics).offline_evaluate(samples)
    return {name: float(value) for name, value in found.items()}


def load_scores(paths: Sequence[Path]) -> list[dict]:
    """Load data samples, with the mean of the scores of several files.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file holds no scores, or those of another list or other classes.
    """
    files = [load_samples(path) for path in paths]
    for path, samples in zip(paths, files, strict=True):
        if not same_list(samples, files[0]):
            raise ValueError(
                f'{path} and {paths[0]} are not scores of one list of videos and as '
                'many classes'
            )
    merged = []
    for samples in zip(*files, strict=True):
        scores = torch.stack([sample['pred_score'] for sample in samples]).mean(0)
        lost = any(sample.get('undecodable') for sample in samples)
        merged.append(samples[0] | dict(pred_score=scores, undecodable=lost))
    return merged


def load_samples(path: Path) -> list[dict]:
    """Load the data samples of one file.

    Raises:
        FileNotFoundError: It does not exist.
        ValueError: It holds none.
    """
    try:
        samples = load(str(path), file_format='pkl')
        for sample in samples:
            describe(sample)
    except OSError:
        raise
    except Exception as error:  # pickle raises anything
        raise ValueError(
            f'{path} holds no scores ({type(error).__name__}: {error}); tools/test.py '
            '--dump writes such files'
        ) from error
    if not samples:
        raise ValueError(f'{path} holds the scores of no video')
    if any(len(describe(sample)[0]) > 1 for sample in samples):
        raise ValueError(f'{path} has videos of several classes; one label is counted')
    return samples


def same_list(samples: list[dict], others: list[dict]) -> bool:
    """Whether two files are of the same videos, in the same order."""
    found = [describe(sample) for sample in samples]
    other = [describe(sample) for sample in others]
    if not all(name for *_, name in found + other):  # one file has no names
        return [each[:2] for each in found] == [each[:2] for each in other]
    return found == other


def describe(sample: dict) -> tuple[list[int], int, str]:
    """Return label (one-hot for several), number of scores and file name of a video.

    Labels alone do not tell lists of as many videos per class apart. The name is that
    without folders, which differ between machines; empty where none was kept, as in
    dumps of MMAction2's own data sets.
    """
    name = Path(sample.get('filename') or '').name
    return sample['gt_label'].tolist(), sample['pred_score'].shape[-1], name
