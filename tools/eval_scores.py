"""Evaluate dumped scores again, without the model.

    python tools/test.py CONFIG CHECKPOINT --dump scores.pkl
    python tools/eval_scores.py scores.pkl --classes hmdb51 --report report/

Scores are also kept by tools/run_protocol.py. Several files of one list, e.g. of
two models, are averaged; a video that was undecodable for one of them is so for all.
Files are pickles: open only those that you trust.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from mmengine.evaluator import Evaluator
from mmengine.fileio import load
from mmengine.registry import init_default_scope

import mmxclip.evaluation  # noqa: F401 (registers the metrics)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('scores', type=Path, nargs='+', help='dumped .pkl files')
    parser.add_argument('--classes', help='class names: packaged list or file')
    parser.add_argument(
        '--report', type=Path, help='folder for per_class.csv and confusion_matrix.png'
    )
    parser.add_argument('--topk', type=int, nargs='+', default=[1, 5])
    args = parser.parse_args()
    if args.classes and not args.report:
        parser.error('--classes names the rows of --report, which is not given')
    if min(args.topk) < 1:
        parser.error(f'--topk is {min(args.topk)}; it must be at least 1')
    return args


def load_scores(paths: list[Path]) -> list[dict]:
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
    return sample['gt_label'].tolist(), len(sample['pred_score']), name


def main() -> None:
    """Print the metrics as JSON."""
    args = parse_args()
    init_default_scope('mmaction')
    options = dict(top_k_accuracy=dict(topk=tuple(args.topk)))
    metrics = [dict(type='VideoAccMetric', metric_options=options)]
    if args.report:
        report = dict(type='ClassReport', out_dir=args.report, classes=args.classes)
        metrics.append(report)
    samples = load_scores(args.scores)
    result = Evaluator(metrics).offline_evaluate(samples)
    print(json.dumps({name: float(value) for name, value in result.items()}, indent=2))


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
