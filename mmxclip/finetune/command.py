"""Fine-tuning as ``tools/finetune.py`` does it."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmxclip.cli.launch import own_name, read_config
from mmxclip.cli.train import train
from mmxclip.datasets.checking.lists_of_config import check_lists
from mmxclip.datasets.lists import NamedVideos, name_videos, read_split
from mmxclip.datasets.lists.named_videos import class_file
from mmxclip.engine.last_checkpoint import last_checkpoint
from mmxclip.finetune.config_file import TRAINING, write_config
from mmxclip.finetune.kept_features import WHOLE, train_on_features
from mmxclip.finetune.memory import find_machine
from mmxclip.finetune.recipe import choose_recipe
from mmxclip.finetune.report import list_unknown, report
from mmxclip.finetune.shots import check_shots, run_shots
from mmxclip.finetune.start import find_start

_LISTS = ('train.txt', 'val.txt')
_TIME_LIMIT = 60.0  # seconds that a video may take to be checked


def finetune(args: argparse.Namespace) -> float | None:
    """Make lists and a config, train, test and report.

    Args:
        args: Options of ``tools/finetune.py``.

    Returns:
        Top-1 accuracy on the videos to test on; None with ``no_train`` or
        ``shots``.

    Raises:
        FileNotFoundError: A folder, a list, a config or a checkpoint is missing.
        FileExistsError: The work folder holds another fine-tuning.
        ValueError: The videos cannot be split, something is wrong with them, or the
            model cannot learn them.
    """
    work_dir = args.work_dir or Path('work_dirs', f'finetune_{args.source.stem}')
    work_dir = Path(os.path.abspath(work_dir))
    if last_checkpoint(work_dir / TRAINING) or (work_dir / WHOLE).exists():
        raise FileExistsError(
            f'{work_dir} holds a fine-tuning already: go on with tools/train.py '
            f'{work_dir}/config.py, or give another --work-dir'
        )
    videos = find_videos_of(args)
    if args.shots:
        check_shots(videos, args.shots)
    base, weights = find_start(args.config, args.checkpoint)
    classes = len(videos.classes)
    recipe = choose_recipe(
        base,
        find_machine(args.memory),
        videos=args.shots * classes if args.shots else len(videos.train),
        classes=classes,
        tune=args.tune,
        epochs=args.epochs,
    )
    print_log(f'{videos}\n' + '\n'.join(f'- {reason}' for reason in recipe.reasons))
    videos.write(work_dir / 'lists', args.overwrite)
    config = write_config(
        work_dir,
        base,
        videos,
        recipe,
        load_from=weights,
        workers=args.workers,
        overwrite=args.overwrite,
    )
    unknown = None
    if args.unknown:
        unknown = list_unknown(args.unknown, work_dir / 'lists', args.overwrite)
    _check(read_config(config), args.workers)
    if args.no_train:
        print_log(f'{config} is written; train with it: tools/train.py {config}')
        return None
    if args.shots:
        options = dict(shots=args.shots, seeds=args.seeds, overwrite=args.overwrite)
        options['on_features'] = recipe.tune == 'prompt'
        cfg = read_config(config)
        print_log(run_shots(cfg, videos, work_dir, **options).to_markdown())
        return None
    if recipe.tune == 'prompt':
        checkpoint = train_on_features(read_config(config), work_dir)
    else:
        train(config, cfg_options=dict(experiment_name=own_name(work_dir)))
        checkpoint = Path(str(last_checkpoint(work_dir / TRAINING)))
    accuracy = report(config, checkpoint, videos.classes, unknown)
    if recipe.tune == 'adapters' and weights:
        print_log(
            f'python tools/convert_checkpoint.py {checkpoint} {work_dir}/adapters.pth '
            f'--adapter-only {weights}'
        )
    return accuracy


def find_videos_of(args: argparse.Namespace) -> NamedVideos:
    """Return the videos that the options ask for, split.

    A folder that has lists, in itself or in its ``lists``, is taken as they say.

    Raises:
        ValueError: They cannot be split, or are already otherwise than asked for.
    """
    source: Path = args.source
    for folder in (source / 'lists', source):
        named = class_file(folder).is_file()
        if named and all((folder / name).is_file() for name in _LISTS):
            if args.names or args.group_by:
                raise ValueError(
                    f'{folder} has lists already, which --names and --group-by do not '
                    'change: leave these out, or remove the lists'
                )
            inside = source / 'videos'
            return read_split(folder, inside if inside.is_dir() else source)
    return name_videos(
        source, names=args.names, val=args.val, seed=args.seed, group_by=args.group_by
    )


def _check(cfg: Config, workers: int) -> None:
    init_default_scope('mmaction')
    lists = check_lists(
        cfg, decode=True, workers=max(workers, 1), time_limit=_TIME_LIMIT
    )
    for checked in lists:
        if checked.problems:
            print_log(checked.describe())
    errors = sum(len(checked.errors) for checked in lists)
    if errors:
        raise ValueError(
            f'{errors} errors in the lists, told above; nothing was trained. '
            'tools/data/check_dataset.py CONFIG --fix leaves such videos out'
        )
