"""How well K videos of each class do, over several choices of them."""

from collections import Counter
from pathlib import Path

from mmengine.config import Config

from mmxclip.datasets.lists import NamedVideos, few_shot, write_list
from mmxclip.finetune.kept_features import put_on_features
from mmxclip.protocols.runner import ProtocolRunner
from mmxclip.protocols.table import ProtocolTable


def check_shots(videos: NamedVideos, shots: int) -> None:
    """Raise a ValueError if a class has less than K videos to train on."""
    counts = Counter(entry.label for entry in videos.train)
    for label, name in enumerate(videos.classes):
        if counts[label] < shots:
            raise ValueError(
                f'--shots {shots}: the class {name!r} has only {counts[label]} videos '
                'to train on'
            )


def run_shots(
    cfg: Config,
    videos: NamedVideos,
    work_dir: Path,
    *,
    shots: int,
    seeds: int,
    on_features: bool = False,
    overwrite: bool = False,
) -> ProtocolTable:
    """Train on K videos of each class once per seed, and test each model.

    Models that are trained and tested already are not again.

    Args:
        cfg: The config of a fine-tuning in the work folder.
        videos: What K are chosen of, and what is tested.
        work_dir: Holds ``lists``.
        shots: K.
        seeds: Number of choices.
        on_features: Whether the backbone, which rests, sees each video once; tests are
            of one view then.
        overwrite: Replace lists of other content.

    Returns:
        Mean and deviation over the choices.
    """
    for seed in range(seeds):
        path = work_dir / f'lists/train_few_shot_{shots}_s{seed}.txt'
        write_list(path, few_shot(videos.train, shots, seed), overwrite)
    data_root, lists = work_dir, work_dir / 'lists'
    root = videos.root.resolve()
    if on_features:
        ann_files = (str(lists / name) for name in ('train.txt', 'val.txt'))
        cfg, _ = put_on_features(cfg, work_dir, *ann_files, overwrite=overwrite)
        data_root, root = work_dir / 'on_features', work_dir / 'features'
    data_root.mkdir(exist_ok=True)
    for link, target in ((data_root / 'lists', lists), (data_root / 'videos', root)):
        if not link.exists():
            link.symlink_to(target)
    return ProtocolRunner(
        'few-shot',
        'own videos',
        cfg,
        work_dir=work_dir / f'{shots}_shots',
        data_root=data_root,
        checkpoint=cfg.load_from,
    ).run()
