"""The config of a fine-tuning, as a file to go on with."""

import copy
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmxclip.datasets.lists import NamedVideos
from mmxclip.datasets.lists.named_videos import class_file
from mmxclip.finetune.recipe import Recipe
from mmxclip.utils.files import write_text

TRAINING = 'training'  # where MMEngine writes the whole config, of the same name
_DOC = '''"""{title}.

{reasons}

    python tools/train.py {path}
"""

_base_ = {base!r}

{settings}'''


def write_config(
    work_dir: Path,
    base: Config,
    videos: NamedVideos,
    recipe: Recipe,
    *,
    load_from: str | None,
    workers: int,
    overwrite: bool = False,
) -> Path:
    """Write ``config.py`` into a work folder, beside its ``lists``.

    Args:
        work_dir: The folder.
        base: What it inherits from.
        videos: What it trains on.
        recipe: How.
        load_from: Weights that it starts from.
        workers: Processes that read videos.
        overwrite: Replace a config of other content.

    Raises:
        FileExistsError: One is there with other content and ``overwrite`` is off.
    """
    path = work_dir / 'config.py'
    settings = Config(recipe.settings())
    settings.merge_from_dict(_data_settings(work_dir, base, videos, workers))
    settings.merge_from_dict(
        dict(work_dir=str(work_dir / TRAINING), load_from=load_from)
    )
    count = f'{len(videos.train)} videos of {len(videos.classes)} classes'
    text = _DOC.format(
        title=f'Fine-tuning on {count} in {videos.root}',
        reasons='\n'.join(f'- {reason}' for reason in recipe.reasons),
        path=path,
        base=os.path.abspath(base.filename),
        settings=settings.pretty_text,
    )
    return write_text(path, text, overwrite)


def _data_settings(
    work_dir: Path, base: Config, videos: NamedVideos, workers: int
) -> dict[str, Any]:
    lists = work_dir / 'lists'
    classes = str(class_file(lists))

    def loader(name: str) -> dict[str, Any]:
        return dict(
            num_workers=workers,
            persistent_workers=workers > 0,
            dataset=dict(
                data_root=str(videos.root.resolve()),
                ann_file=str(lists / name),
                data_prefix=dict(video=''),
            ),
        )

    model: dict[str, Any] = dict(cls_head=dict(classes=classes))
    preprocessor = base.model.get('data_preprocessor') or {}
    if blending := copy.deepcopy(preprocessor.get('blending')):
        for augment in blending.get('augments', [blending]):
            augment['num_classes'] = len(videos.classes)
        model['data_preprocessor'] = dict(blending=blending)
    report = dict(type='ClassReport', out_dir=str(work_dir / 'report'), classes=classes)
    return dict(
        model=model,
        train_dataloader=loader('train.txt'),
        val_dataloader=loader('val.txt'),
        test_dataloader=loader('val.txt'),
        test_evaluator=[dict(type='VideoAccMetric'), report],
    )
