"""Where a fine-tuning starts: a config that trains, and weights."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmxclip.checkpoints.zoo import check_checkpoint
from mmxclip.cli.launch import read_config
from mmxclip.inference.named_models import find_model, is_name, listed_models

DEFAULT_MODEL = 'xclip-b16-k400-8-frames'  # four times cheaper than 32 frames


def find_start(model: str, checkpoint: str | None) -> tuple[Config, str | None]:
    """Return the config to start from, and the weights.

    Args:
        model: Name of a released model, or path of a config.
        checkpoint: Weights. Default: those of the name; with a path those that the
            config says, CLIP's in ours.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: There is no such model, or the config is not one to train an
            X-CLIP on a list of videos.
    """
    weights = checkpoint
    if is_name(model):
        path, released = find_model(model)
        weights = checkpoint or released
    else:
        path = model
    if weights:
        check_checkpoint(weights)
        if Path(weights).exists():
            weights = os.path.abspath(weights)
    cfg = read_config(path)
    if is_name(model) and not cfg.get('train_dataloader'):
        cfg = _training_config(path)
    _check(cfg)
    return cfg, weights or cfg.get('load_from')


def _training_config(path: str) -> Config:
    """Return the config that trains a model whose own config only tests."""
    alike = ('Architecture', 'Pretrained', 'Resolution', 'Frames')
    models = list(listed_models())
    tested = next(m for m in models if Path(m['Config']) == Path(path))
    for model in models:
        if all(model['Metadata'].get(k) == tested['Metadata'].get(k) for k in alike):
            cfg = read_config(model['Config'])
            if cfg.get('train_dataloader'):
                return cfg
    raise ValueError(f'{path} is for testing only; give a config that trains')


def _check(cfg: Config) -> None:
    model: Any = cfg.get('model') or {}
    if 'classes' not in (model.get('cls_head') or {}):
        raise ValueError(
            f'{cfg.filename}: a model is needed whose head takes names of classes '
            '(model.cls_head.classes), such as XCLIPHead'
        )
    backbone = (model.get('backbone') or {}).get('type')
    if 'XCLIPViT' not in str(backbone):
        raise ValueError(
            f'{cfg.filename}: the backbone is {backbone}; an XCLIPViT is needed, whose '
            'memory is known'
        )
    for kind in ('train', 'val', 'test'):
        loader = cfg.get(f'{kind}_dataloader') or {}
        if 'ann_file' not in (loader.get('dataset') or {}):
            raise ValueError(
                f'{cfg.filename} has no {kind}_dataloader of a list of videos '
                '(dataset.ann_file), which a fine-tuning needs'
            )
