"""How well K videos of each class do, over several choices of them."""

from collections import Counter
from pathlib import Path

from mmengine.config import Config

from mmxclip.datasets.lists import NamedVideos, few_shot, write_list
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
        overwrite: Replace lists of other content.

    Returns:
        Mean and deviation over the choices.
    """
    for seed in range(seeds):
        path = work_dir / f'lists/train_few_shot_{shots}_s{seed}.txt'
        write_list(path, few_shot(videos.train, shots, seed), overwrite)
    link = work_dir / 'videos'
    if not link.is_symlink():
        link.symlink_to(videos.root.resolve())
    return ProtocolRunner(
        'few-shot',
        'own videos',
        cfg,
        work_dir=work_dir / f'{shots}_shots',
        data_root=work_dir,
        checkpoint=cfg.load_from,
    ).run()
