"""Where configs are, and models in them without the weights that they would fetch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_INITIALISATION = ('init_cfg', 'pretrained')


def configs_root() -> Path:
    """Return the folder that has ``configs``: of the wheel, or of a clone."""
    package = Path(__file__).parents[1]
    of_wheel = package / '.mim'
    return of_wheel if of_wheel.is_dir() else package.parent


def without_initialisation(node: Any) -> Any:
    """Return a copy of a part of a config that fetches no weights when it is built."""
    if isinstance(node, Mapping):
        kept = {
            key: without_initialisation(value)
            for key, value in node.items()
            if key not in _INITIALISATION
        }
        # A 3D network made of a 2D one's weights would fetch those.
        return kept | {'pretrained2d': False} if 'pretrained2d' in kept else kept
    if isinstance(node, (list, tuple)):
        return type(node)(without_initialisation(item) for item in node)
    return node
