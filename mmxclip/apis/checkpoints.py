"""Checkpoints that commands are given, or find, and the configs that fit them."""

from pathlib import Path

from mmengine.config import Config
from mmengine.fileio import load
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader

from mmxclip.convert import OURS, Geometry, Opened, measure, recognize


def check_checkpoint(given: str) -> None:
    """Raise a FileNotFoundError unless weights are there, or at an address."""
    if '://' not in given and not Path(given).exists():
        raise FileNotFoundError(
            f'There is no checkpoint {given!r}; give a file that a training wrote into '
            'its work folder, a published one, a Hugging Face folder or an address.'
        )


def config_for(weights: str, *, classes_given: bool) -> Config:
    """Return a config for weights that are given without one.

    It is the one that a training stored beside them, a program that is run as any
    config is, else the published one for a model of their sizes.

    Args:
        weights: A checkpoint of any form.
        classes_given: Whether the class names of the config do not matter.

    Raises:
        ValueError: They are of no X-CLIP, no published config fits, or several do
            whose classes differ.
    """
    checkpoint = CheckpointLoader.load_checkpoint(weights, map_location='cpu')
    if not isinstance(checkpoint, dict):
        raise ValueError(
            f'{weights} is no checkpoint, but holds a {type(checkpoint).__name__}'
        )
    stored = (checkpoint.get('meta') or {}).get('cfg')
    if stored:
        return Config.fromstring(stored, file_format='.py')
    source = recognize(Opened(checkpoint, 'checkpoint'))
    if source.kind != OURS:
        raise ValueError(
            f'{weights} is a checkpoint of {source.kind}: a training can start from '
            'it, but it lacks parts of X-CLIP and cannot name actions. Give a '
            'checkpoint of a training, or a published X-CLIP (docs/weights.md).'
        )
    geometry = measure(source.state_dict)
    by_data = find_configs(geometry)
    if by_data and (classes_given or len(by_data) == 1):
        path = next(iter(by_data.values()))
        print_log(f'{weights} ({geometry.describe()}) takes the config {path}')
        return Config.fromfile(path)
    what = f'{weights} holds weights without a config, of a {geometry.describe()}'
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


def find_configs(geometry: Geometry) -> dict[str, Path]:
    """Return the first published config for a model of these sizes, by data set."""
    package = Path(__file__).parents[1]
    # Where the wheel has the configs, and where a clone has them.
    for root in (package / '.mim', package.parent):
        metafile = root / 'configs/xclip/metafile.yml'
        if metafile.is_file():
            break
    else:
        return {}
    name = (geometry.arch or 'none').split('@')[0].upper()
    wanted = dict(
        Architecture=f'X-CLIP-{name}',
        Resolution=f'{geometry.img_size}x{geometry.img_size}',
        Frames=geometry.num_frames,
    )
    found: dict[str, Path] = {}
    for model in load(metafile)['Models']:
        if wanted.items() <= model['Metadata'].items():
            found.setdefault(model['Results'][0]['Dataset'], root / model['Config'])
    return found
