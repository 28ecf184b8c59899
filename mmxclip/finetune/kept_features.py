"""Training behind a backbone that rests: its features are computed once and kept."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from torch import Tensor, nn

from mmxclip.checkpoints.load import load
from mmxclip.cli.launch import build_runner
from mmxclip.datasets.lists import Entry, read_list
from mmxclip.engine.last_checkpoint import last_checkpoint
from mmxclip.utils.configs import without_initialisation
from mmxclip.utils.files import atomic
from mmxclip.utils.processes import with_progress

WHOLE = 'fine_tuned.pth'
Shapes = Sequence[Sequence[int]]


@TRANSFORMS.register_module()
class LoadFeatures(BaseTransform):
    """Load what a backbone made of a video.

    Required keys: filename. Added keys: imgs, (1, F) of float16.
    """

    def transform(self, results: dict) -> dict:
        """Load ``<filename>.npy``."""
        results['imgs'] = np.load(f'{results["filename"]}.npy')[None]
        return results


@MODELS.register_module()
class KeptFeatures(nn.Module):
    """Stands for the backbone whose features are loaded.

    Args:
        shapes: Shapes of the features of a video; a backbone for a neck has two.
    """

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.shapes = [tuple(shape) for shape in shapes]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Unpack features (N, F), F being the numbers of all shapes."""
        parts = x.split([math.prod(shape) for shape in self.shapes], dim=1)
        return tuple(
            part.unflatten(1, shape)
            for part, shape in zip(parts, self.shapes, strict=True)
        )


def train_on_features(cfg: Config, work_dir: Path) -> Path:
    """Train what follows the backbone, which sees each video once.

    One view of each video is kept, as in validation, in half precision: no video is
    decoded in an epoch, and none is varied or mixed.

    Args:
        cfg: Config whose backbone is frozen; it is not changed.
        work_dir: Where features, a training and the whole model are written.

    Returns:
        The checkpoint of the whole model.
    """
    on_features, model = put_on_features(
        cfg, work_dir, cfg.train_dataloader.dataset.ann_file, overwrite=True
    )
    build_runner(on_features).train()
    trained = torch.load(
        str(last_checkpoint(on_features.work_dir)),
        map_location='cpu',
        weights_only=False,  # our own, of a moment ago
    )
    model.cpu().load_state_dict(trained['state_dict'], strict=False)
    whole = work_dir / WHOLE
    _save(whole, model.state_dict(), cfg=cfg.pretty_text)
    Path(on_features.load_from).unlink()
    return whole


def put_on_features(
    cfg: Config, work_dir: Path, *ann_files: str, overwrite: bool = False
) -> tuple[Config, nn.Module]:
    """Compute what the backbone makes of the videos of lists.

    Args:
        cfg: See :func:`train_on_features`.
        work_dir: See there.
        *ann_files: The lists.
        overwrite: Compute anew what is there.

    Returns:
        tuple: The config that trains and tests what follows the backbone, and the whole
        model where it starts.
    """
    init_default_scope('mmaction')
    set_random_seed((cfg.get('randomness') or {}).get('seed') or 0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    if cfg.load_from:
        load(model, cfg.load_from, complete=False)
    features, start = work_dir / 'features', work_dir / 'start.pth'
    if overwrite or not start.exists():  # which is written when all is there
        for ann_file in ann_files:
            shapes = keep_features(model, cfg, ann_file, features)
        rest = {
            name: value
            for name, value in model.state_dict().items()
            if not name.startswith('backbone.')
        }
        _save(start, rest, shapes=shapes)
    kept = torch.load(start, map_location='cpu', weights_only=True)
    return _on_features(cfg, kept['meta']['shapes'], features, start), model


@torch.no_grad()
def keep_features(
    model: nn.Module, cfg: Config, ann_file: str, folder: Path
) -> list[list[int]]:
    """Write the features of the videos of a list.

    Args:
        model: The recognizer.
        cfg: Config with loaders.
        ann_file: The list.
        folder: For ``<path in the list>.npy``.

    Returns:
        Their shapes.
    """
    entries = read_list(ann_file)
    loader = dict(cfg.val_dataloader, batch_size=cfg.train_dataloader.batch_size)
    loader['dataset'] = dict(loader['dataset'], ann_file=ann_file)
    batches = Runner.build_dataloader(ConfigDict(loader))
    print_log(f'the backbone sees {len(entries)} videos once, for {folder}')
    model.to(get_device()).eval()
    shapes: list[list[int]] = []
    videos = with_progress(_features(model, batches), len(entries))
    for entry, parts in zip(entries, videos, strict=True):
        shapes = [list(part.shape) for part in parts]
        _write(folder, entry, torch.cat([part.flatten() for part in parts]))
    return shapes


def _features(model: nn.Module, batches: Any) -> Any:
    for batch in batches:
        inputs = model.data_preprocessor(batch, False)['inputs']
        if inputs.shape[1] != 1:
            raise ValueError(
                f'val_dataloader gives {inputs.shape[1]} views of a video; features '
                'are kept of one: train with --tune all'
            )
        found = model.backbone(inputs.flatten(0, 1))
        found = found if isinstance(found, tuple) else (found,)
        yield from zip(*found, strict=True)


def _write(folder: Path, entry: Entry, features: Tensor) -> None:
    with atomic(folder / f'{entry.path}.npy') as place:
        np.save(place, features.half().cpu().numpy())


def _save(path: Path, weights: dict[str, Tensor], **meta: Any) -> None:
    with atomic(path) as place:
        torch.save(dict(state_dict=weights, meta=meta), place)


def _on_features(cfg: Config, shapes: Shapes, folder: Path, start: Path) -> Config:
    """Return the config that trains on features."""
    cfg = Config(cfg.to_dict())
    cfg.model = ConfigDict(without_initialisation(cfg.model))
    cfg.model.backbone = ConfigDict(type='KeptFeatures', shapes=shapes)
    cfg.model.data_preprocessor = ConfigDict(type='ActionDataPreprocessor')
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        steps = [dict(type='LoadFeatures'), dict(type='PackActionInputs')]
        loader.dataset.update(data_root=str(folder), pipeline=steps)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.load_from = str(start)
    cfg.work_dir = str(folder.parent / 'training_on_features')
    return cfg
