"""What the result of a training or a test depends on, as a few digests."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mmaction.utils import get_str_type
from mmengine.config import Config

from mmxclip.text import Classes
from mmxclip.utils.files import sha256

# Settings of a config, wherever they stand in it, that change no result, or (workers)
# only what chance draws.
_NO_INFLUENCE = frozenset(
    {
        'collect_device',
        'env_cfg',
        'launcher',
        'load_from',
        'log_level',
        'log_processor',
        'model_wrapper_cfg',
        'num_workers',
        'out_dir',
        'out_file_path',
        'persistent_workers',
        'pin_memory',
        'prefetch_factor',
        'resume',
        'vis_backends',
        'visualizer',
        'work_dir',
    }
)
# Hooks, wherever they stand, that change no result either.
_HARMLESS_HOOKS = frozenset(
    {
        'BriefLoggerHook',
        'CheckLabelsHook',
        'CheckpointHook',
        'IterTimerHook',
        'LoggerHook',
        'PictureHook',
        'ProfilerHook',
        'RuntimeInfoHook',
        'SafeCheckpointHook',
        'VisualizationHook',
    }
)


def fingerprint(
    cfg: Config,
    checkpoint: str | None,
    *files: Path,
    classes: Classes | None = None,
) -> dict[str, str]:
    """Return digests of all that the result of a step depends on.

    Args:
        cfg: Its config.
        checkpoint: Weights that it starts from or tests.
        *files: Lists that it reads.
        classes: The classes: the config may tell only the file with them.
    """
    settings = _influential(cfg.to_dict())
    described = classes.plain() if classes else []
    lists = b''.join(path.read_bytes() for path in files)
    return {
        'config': _digest(json.dumps(settings, sort_keys=True, default=str).encode()),
        'lists': _digest(lists),
        'class names': _digest(json.dumps(described).encode()),
        'checkpoint': _path_digest(checkpoint) if checkpoint else 'none',
    }


def _influential(node: Any) -> Any:
    """Return settings without those that change no result; None for those."""
    if isinstance(node, dict):
        kind = get_str_type(node.get('type') or '').rpartition('.')[2]
        if kind in _HARMLESS_HOOKS:
            return None
        kept = {key: _influential(node[key]) for key in node.keys() - _NO_INFLUENCE}
        return {key: value for key, value in kept.items() if value is not None} or None
    if isinstance(node, (list, tuple)):
        return [_influential(child) for child in node]
    return node


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _path_digest(path: str) -> str:
    """Digest of a file, or of all files of a folder."""
    if not Path(path).exists():  # an address to download from
        return path
    inside = sorted(file for file in Path(path).rglob('*') if file.is_file())
    return sha256(*(inside if Path(path).is_dir() else [path]))[:16]
