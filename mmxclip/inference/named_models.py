"""Released models by name, as ``configs/xclip/metafile.yml`` lists them."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.infer import BaseInferencer

from mmxclip.engine.last_checkpoint import last_checkpoint
from mmxclip.utils.configs import configs_root

RECOMMENDED = 'xclip-b16-zero-shot'  # by its authors, for words of one's own
DEMO_NAME = 'xclip-demo'
DEMO = 'xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb'  # what make demo trains


def listed_models() -> Iterator[dict[str, Any]]:
    """Yield the entries of the metafile, with full paths of configs."""
    root = configs_root()
    for model in BaseInferencer._get_models_from_metafile(str(root)):
        yield model | dict(Config=str(root / model['Config']))


def is_name(model: object) -> bool:
    """Whether it is the name of a model, known or not, and no path of a config."""
    return isinstance(model, str) and not Path(model).suffix and '/' not in model


def find_model(name: str) -> tuple[str, str]:
    """Return config and weights of a released model, or of the demo.

    Args:
        name: Its name or alias, in any case.

    Raises:
        ValueError: There is none of this name.
        FileNotFoundError: It is the demo's, which has not been trained, or one of which
            no weights are released.
    """
    known = {
        alias.lower(): model
        for model in listed_models()
        for alias in (*model['Alias'], model['Name'])
    }
    if name.lower() not in known:
        close = difflib.get_close_matches(name.lower(), known, cutoff=0)
        raise ValueError(
            f'there is no model {name!r}; near it are {", ".join(close)}, and '
            'tools/predict.py --list-models shows all. A config is given by its path'
        )
    model = known[name.lower()]
    if DEMO_NAME in model['Alias']:
        return find_demo(configs_root())
    if 'Weights' not in model:
        raise FileNotFoundError(
            f'no weights of {name!r} are released: train it, python tools/train.py '
            f'{model["Config"]}, and give config and checkpoint by their paths'
        )
    return model['Config'], model['Weights']


def describe_models() -> str:
    """Return a table of the released models, for a terminal."""
    line = '{:29} {:>6} {:>8} {:>6}  {:12}  {}'.format
    lines = [line('name', 'frames', 'size', 'top-1', 'of', 'licence')]
    for model in listed_models():
        if 'Weights' in model:
            facts, result = model['Metadata'], model['Results'][0]
            size = f'{4 * int(facts["Parameters"].removesuffix("M"))} MB'  # float32
            top1 = f'{result["Metrics"]["Top 1 Accuracy"]:.1f} %'
            about = facts['Frames'], size, top1, result['Dataset'], facts['License']
            lines.append(line(model['Alias'][0], *about))
    return '\n'.join(lines)


def find_demo(root: Path) -> tuple[str, str]:
    """Return config and last checkpoint of the demo.

    Args:
        root: The clone whose demo it is, started from there or from elsewhere, or
            another folder with ``configs``.

    Raises:
        FileNotFoundError: It has not been trained.
    """
    config = root / 'configs/xclip/demo' / f'{DEMO}.py'
    work_dir = Path('work_dirs', DEMO)
    return str(config), find_trained(work_dir if work_dir.is_dir() else root / work_dir)


def find_trained(work_dir: Path) -> str:
    """Return the last checkpoint of a work folder.

    Raises:
        FileNotFoundError: There is none.
    """
    checkpoint = last_checkpoint(work_dir)
    if checkpoint is None:
        hint = 'run "make demo"' if work_dir.name == DEMO else 'train it'
        raise FileNotFoundError(
            f'there is no checkpoint in {work_dir.absolute()}: {hint}, or give '
            '--checkpoint'
        )
    return checkpoint
