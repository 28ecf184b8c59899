"""The config for weights that are given without one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.logging import print_log

from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.model_settings import Settings, name_of_arch, say_sizes
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.stored_config import stored_config
from mmxclip.inference.named_models import listed_models
from mmxclip.utils.configs import without_initialisation


def config_for(weights: str, opened: Opened, *, classes_given: bool) -> Config:
    """Return a config for weights that are given without one.

    It is the one that a training stored beside them, read as data, else the published
    one for a model of their sizes.

    Args:
        weights: Their name, for messages.
        opened: The checkpoint.
        classes_given: Whether the class names of the config do not matter.

    Raises:
        ValueError: They are of no X-CLIP, no published config fits, or several do
            whose classes differ; or the stored one is more than settings.
    """
    try:
        stored = stored_config(opened.extras)
        if stored:
            return Config(_only_registered(stored))
    except CheckpointError as error:
        raise CheckpointError(f'{weights}: {error}') from error
    tensors, report, settings = convert(opened)
    if 'neck.positional_embedding' not in tensors:
        raise ValueError(
            f'{weights} is a checkpoint of {report.source}: a training can start from '
            'it, but it lacks parts of X-CLIP and cannot name actions. Give a '
            'checkpoint of a training, or a published X-CLIP (docs/howto/weights.md).'
        )
    sizes = say_sizes(settings, has_mit=True)
    by_data = find_configs(settings)
    if by_data and (classes_given or len(by_data) == 1):
        path = next(iter(by_data.values()))
        print_log(f'{weights} ({sizes}) takes the config {path}')
        return Config.fromfile(path)
    what = f'{weights} holds weights without a config, of a {sizes}'
    if not by_data:
        raise ValueError(
            f'{what}, for which none is published: give the config that they were '
            'trained with (--config)'
        )
    raise ValueError(
        f'{what}: give class names (--labels), or the config (--config), which brings '
        'those of its data set: '
        + ', '.join(f'{path} ({data})' for data, path in by_data.items())
    )


def _only_registered(config: Mapping[str, Any]) -> Any:
    """Take what predicting needs of a stored config, if it builds known parts only.

    MMEngine builds any function that ``type`` names by its import path.
    """
    loader = config.get('test_dataloader')
    data = loader.get('dataset') if isinstance(loader, Mapping) else None
    pipeline = data.get('pipeline') if isinstance(data, Mapping) else None
    needed = without_initialisation(
        dict(
            model=config.get('model'),
            test_dataloader=dict(dataset=dict(pipeline=pipeline)),
        )
    )
    known = set()
    for registry in (MODELS, TRANSFORMS):
        known |= {*registry.module_dict, *registry.parent.module_dict}
    for kind in _types(needed):
        if not isinstance(kind, str) or kind.removeprefix('mmaction.') not in known:
            raise CheckpointError(
                f'the config that is stored in it builds {kind!r}, which is not '
                'registered here, and nothing in a checkpoint is run. Give the config '
                'as a file (--config)'
            )
    if not (needed['model'] and pipeline):
        raise CheckpointError(
            'the config that is stored in it has no model or no test pipeline. Give '
            'the config as a file (--config)'
        )
    return needed


def _types(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        if 'type' in node:
            yield node['type']
        node = node.values()
    if not isinstance(node, (str, bytes)) and hasattr(node, '__iter__'):
        for item in node:
            yield from _types(item)


def find_configs(settings: Settings) -> dict[str, Path]:
    """Return the first published config for a model of these sizes, by data set."""
    found: dict[str, Path] = {}
    for model in models_like(settings):
        found.setdefault(model['Results'][0]['Dataset'], Path(model['Config']))
    return found


def models_like(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the entries of released models of these sizes."""
    name = (name_of_arch(settings) or 'none').split('@')[0].upper()
    pixels = settings['backbone']['arch']['img_size']
    wanted = dict(
        Architecture=f'X-CLIP-{name}',
        Resolution=f'{pixels}x{pixels}',
        Frames=settings['neck']['num_frames'],
    )
    for model in listed_models():
        if 'Weights' in model and wanted.items() <= model['Metadata'].items():
            yield model
