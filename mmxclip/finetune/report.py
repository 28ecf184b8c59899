"""What a fine-tuning has come to: accuracies, mistakes, how sure it may be."""

import csv
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from mmxclip.cli.launch import own_name
from mmxclip.cli.test import test
from mmxclip.datasets.lists import Entry, write_list
from mmxclip.datasets.lists.video_files import find_videos
from mmxclip.evaluation.calibrate import calibrate
from mmxclip.evaluation.dumped_scores import load_samples
from mmxclip.finetune.config_file import TRAINING
from mmxclip.finetune.mistakes import draw_mistakes, find_mistakes
from mmxclip.text import Classes
from mmxclip.utils.tables import to_markdown

CALIBRATED = 'calibrated.pth'


def report(
    config: Path, checkpoint: Path, classes: Classes, unknown: Path | None = None
) -> float:
    """Test a model, calibrate it, and tell how to go on.

    Args:
        config: Of the fine-tuning; tables and pictures go into ``report`` beside it.
        checkpoint: The model.
        classes: Its classes.
        unknown: List of videos of none of them, for a threshold.

    Returns:
        Top-1 accuracy.
    """
    scores, folder = config.parent / 'scores.pkl', config.parent / 'report'
    metrics = test(
        config,
        checkpoint,
        dump=scores,
        cfg_options=dict(experiment_name=own_name(config.parent)),
    )
    mistakes = find_mistakes(load_samples(scores))
    pages = [folder / 'per_class.csv', folder / 'confusion_matrix.png']
    if mistakes:
        pages.append(folder / 'mistakes.png')
        draw_mistakes(mistakes, classes, pages[-1])
    rows = csv.reader(pages[0].read_text().splitlines())
    count = int(metrics['acc/num_videos'])
    print_log(
        f'top-1 {metrics["acc/top1"]:.3f} of {count} videos, mean of the classes '
        f'{metrics["acc/mean1"]:.3f}, chance {1 / len(classes):.3f}\n'
        f'{to_markdown(rows)}\n' + '\n'.join(map(str, pages))
    )
    model = _calibrate(config, checkpoint, classes, scores, unknown)
    print_log(
        f'python tools/test.py {config} {checkpoint}\n'
        f'python tools/predict.py VIDEO.mp4 --config {config} --checkpoint {model}\n'
        f'python tools/timeline.py FILM.mp4 --config {config} --checkpoint {model}\n'
        f'python tools/train.py {config} {_go_on(checkpoint)}'
    )
    return float(metrics['acc/top1'])


def list_unknown(folder: Path, lists: Path, overwrite: bool) -> Path:
    """List the videos below a folder, which are of none of the classes.

    Args:
        folder: The folder.
        lists: Where ``unknown.txt`` is written.
        overwrite: Replace one of other content.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no video in it.
    """
    paths = find_videos(folder).paths
    if not paths:
        raise ValueError(f'--unknown {folder} holds no video')
    entries = [Entry(str(path.resolve()), 0) for path in paths]  # any label will do
    write_list(lists / 'unknown.txt', entries, overwrite)
    return lists / 'unknown.txt'


def _calibrate(
    config: Path, checkpoint: Path, classes: Classes, scores: Path, unknown: Path | None
) -> Path:
    """Return the calibrated model, or that given where no temperature fits."""
    dump, out = config.parent / 'unknown.pkl', config.parent / CALIBRATED
    if unknown is not None:
        loader = 'test_dataloader.dataset'
        options: dict[str, Any] = {
            f'{loader}.ann_file': str(unknown),
            f'{loader}.data_root': '/',
            'test_evaluator': [dict(type='VideoAccMetric')],
            'experiment_name': own_name(config.parent),
        }
        test(config, checkpoint, dump=dump, cfg_options=options)
    diagram = config.parent / 'report/reliability.png'
    try:
        found = calibrate(
            checkpoint,
            out,
            scores,
            unknown=None if unknown is None else dump,
            classes=classes,
            diagram=diagram,
            force=True,
        )
    except ValueError as error:
        print_log(f'not calibrated: {error}')
        return checkpoint
    errors = [found[when]['ece'] for when in ('before', 'after')]
    told = (
        f'{out}: temperature {found["temperature"]:.2f}, which takes the calibration '
        f'error of these videos from {errors[0]:.3f} to {errors[1]:.3f}; {diagram}'
    )
    if unknown is not None:
        told += (
            f'\nbelow {found["threshold"]:.3f} it answers "none of these": '
            f'{found["unknown_accepted"]:.1%} of {found["unknown_videos"]} unknown '
            f'videos pass, and {found["known_accepted"]:.1%} of the others'
        )
    print_log(told)
    return out


def _go_on(checkpoint: Path) -> str:
    if checkpoint.parent.name == TRAINING:
        return '--resume --cfg-options train_cfg.max_epochs=MORE'
    return f'--cfg-options load_from={checkpoint}'
