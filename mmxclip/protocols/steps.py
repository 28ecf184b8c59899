"""The config of one step of a protocol, and how to know it again."""

import copy
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from mmxclip.datasets.lists.named_videos import class_file
from mmxclip.datasets.nesting import innermost_dataset
from mmxclip.protocols.plan import (
    NEEDS_CLASS_NAMES,
    PROTOCOLS,
    PUBLISHED_DATASETS,
    Split,
)
from mmxclip.text import load_class_names

_CROPS = {'ThreeCrop': 3, 'TenCrop': 10}


class DataFolder:
    """Where the videos and lists of a data set are (docs/howto/protocols.md).

    Args:
        root: Folder of the data set: lists in ``lists``, videos in ``videos`` or
            ``videos.tar`` below it, or, where these are absent, in the folder itself.

    Raises:
        FileNotFoundError: There is no such folder.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(
                f'no data set in {str(self.root)!r}; make its lists with '
                'tools/data/prepare.py or say where it is (--data-root, --source-root)'
            )
        self.lists = self._first('lists')
        self.videos = self._first('videos', 'videos.tar')

    def _first(self, *names: str) -> Path:
        """Return the first that exists, else the folder itself."""
        inside = (self.root / name for name in names)
        return next((path for path in inside if path.exists()), self.root)

    def list_file(self, split: Split) -> Path:
        """Return the list of a split.

        Raises:
            FileNotFoundError: It has not been made.
        """
        path = self.lists / split.ann_file
        if not path.is_file():
            raise FileNotFoundError(
                f'{path} is missing; make it with tools/data/prepare.py or '
                'make_few_shot_split.py'
            )
        return path

    def classes(self, split: Split) -> str:
        """Return the packaged class names of a split, or the file with them."""
        if split.dataset in PUBLISHED_DATASETS:
            return split.classes
        return str(class_file(self.lists, split.classes))


def check_head(cfg: Config, protocol: str) -> None:
    """Raise a ValueError if a config's head cannot do a protocol.

    A head that knows only a number of classes would still give numbers for classes
    that it was not trained on: those of random weights, or of other classes.
    """
    head: Any = (cfg.get('model') or {}).get('cls_head') or {}
    if protocol in NEEDS_CLASS_NAMES and 'classes' not in head:
        others = [name for name in PROTOCOLS if name not in NEEDS_CLASS_NAMES]
        raise ValueError(
            f'{protocol} tests classes of which the model knows only the names, but '
            f'the head of {cfg.filename or "the config"} ({head.get("type")}) takes '
            f'none (model.cls_head.classes); such a model can do {" and ".join(others)}'
        )


def use_split(cfg: Config, loader: str, split: Split, folder: DataFolder) -> None:
    """Let a loader of a config read a split, and its model know the classes.

    Args:
        cfg: The config, which is changed.
        loader: ``'train_dataloader'`` or ``'test_dataloader'``.
        split: The list and its classes.
        folder: Where they are.

    Raises:
        FileNotFoundError: The list has not been made.
        ValueError: The config has no such loader, or no head.
    """
    head: Any = (cfg.get('model') or {}).get('cls_head')
    for part, found in ((loader, cfg.get(loader)), ('model.cls_head', head)):
        if not found:
            raise ValueError(f'{cfg.filename or "the config"} has no {part}')
    dataset = innermost_dataset(cfg[loader])
    dataset.pop('data_root', None)
    dataset.ann_file = str(folder.list_file(split))
    dataset.data_prefix = dict(video=str(folder.videos))
    classes = folder.classes(split)
    num_classes = len(load_class_names(classes))
    if 'classes' in head:
        head.classes = classes
        head.pop('num_classes', None)
    else:
        head.num_classes = num_classes
    blending = (cfg.model.get('data_preprocessor') or {}).get('blending') or {}
    for augment in blending.get('augments', [blending]):
        if 'num_classes' in augment:
            augment.num_classes = num_classes


def make_train_config(
    base: Config, split: Split, folder: DataFolder, work_dir: Path
) -> Config:
    """Return the config that trains on a split.

    Nothing is validated on the way: the number of a protocol is that of the last
    epoch, never of the epoch that is best on the test videos.
    """
    cfg = copy.deepcopy(base)
    cfg.setdefault('default_hooks', ConfigDict())
    use_split(cfg, 'train_dataloader', split, folder)
    for kind in ('val', 'test'):
        for part in ('dataloader', 'cfg', 'evaluator'):
            cfg[f'{kind}_{part}'] = None
    hook = dict(cfg.default_hooks.get('checkpoint') or dict(type='SafeCheckpointHook'))
    hook.setdefault('interval', 1)  # what an interrupted training goes on from
    hook.update(max_keep_ckpts=1, save_best=None, save_last=True)
    cfg.default_hooks.checkpoint = ConfigDict(hook)
    cfg.work_dir = str(work_dir)
    return cfg


def make_test_config(
    base: Config, split: Split, folder: DataFolder, work_dir: Path
) -> Config:
    """Return the config that tests on a split and keeps scores and reports.

    Of the config's own metrics only ``collect_device`` is kept: how processes
    exchange scores is a matter of the machines, not of the protocol.
    """
    cfg = copy.deepcopy(base)
    use_split(cfg, 'test_dataloader', split, folder)
    metrics = [
        dict(type='VideoAccMetric'),
        dict(type='ClassReport', out_dir=str(work_dir), classes=folder.classes(split)),
        dict(type='DumpResults', out_file_path=str(work_dir / 'scores.pkl')),
    ]
    device = _collect_device(base.get('test_evaluator'))
    cfg.test_evaluator = [ConfigDict(metric, **device) for metric in metrics]
    cfg.work_dir = str(work_dir)
    cfg.load_from, cfg.resume = None, False
    return cfg


def _collect_device(evaluator: Any) -> dict[str, str]:
    """Return the argument that the metrics of a config share, if they have it."""
    metrics = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator or {}]
    given = [m['collect_device'] for m in metrics if 'collect_device' in m]
    return dict(collect_device=given[0]) if given else {}


def describe_views(cfg: Config) -> tuple[int | None, str]:
    """Return frames per view, and views per video as 'clips x crops'."""
    dataset = innermost_dataset(cfg.test_dataloader)
    frames, clips, crops, repeats = None, 1, 1, 1
    for step in dataset.pipeline:
        frames = step.get('num_frames', step.get('clip_len', frames))
        clips = step.get('num_views', step.get('num_clips', clips))
        repeats = 2 if step.get('twice_sample') else repeats
        crops = _CROPS.get(step['type'], crops)
        # 2D models see the frames of all clips together, as one view.
        if step.get('input_format') == 'NCHW' and frames:
            frames, clips = frames * clips, 1
    return frames, f'{clips * repeats}x{crops}'
