"""Released models by name, as ``configs/xclip/metafile.yml`` lists them."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.infer import BaseInferencer

from mmxclip.inference.demo import find_demo

RECOMMENDED = 'xclip-b16-zero-shot'  # by its authors, for words of one's own
DEMO_NAME = 'xclip-demo'


def configs_root() -> Path:
    """Return the folder that has ``configs``: of the wheel, or of a clone."""
    package = Path(__file__).parents[1]
    of_wheel = package / '.mim'
    return of_wheel if of_wheel.is_dir() else package.parent


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
        FileNotFoundError: It is the demo's, which has not been trained.
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
    if 'Weights' not in model:
        return find_demo(configs_root())
    return model['Config'], model['Weights']


def describe_models() -> str:
    """Return a table: name, frames, size, accuracy, licence."""
    rows = [('NAME', 'FRAMES', 'SIZE', 'TOP-1', 'OF', 'LICENCE')]
    rows += [_row(model) for model in listed_models() if 'Weights' in model]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        '  '.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return '\n'.join(lines)


def _row(model: dict[str, Any]) -> tuple[str, str, str, str, str, str]:
    facts, result = model['Metadata'], model['Results'][0]
    megabytes = 4 * int(facts['Parameters'].removesuffix('M'))  # float32
    return (
        model['Alias'][0],
        str(facts['Frames']),
        f'{megabytes} MB',
        f'{result["Metrics"]["Top 1 Accuracy"]:.1f} %',
        result['Dataset'],
        facts['License'],
    )
