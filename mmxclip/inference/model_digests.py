"""What tells a model's answers from those of another one."""

import hashlib
import json
from typing import Any

from mmxclip.checkpoints.formats import digest
from mmxclip.inference.serving import steps_of_opened
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

# Settings of a model, wherever they stand in it, that change nothing but its classes.
_OTHER_SETTINGS = {'classes', 'num_classes', 'init_cfg', 'pretrained'}


def model_digests(inferencer: XCLIPInferencer) -> dict[str, Any]:
    """Return digests of all that scores depend on, but for videos and class names.

    Args:
        inferencer: The model.

    Returns:
        dict: ``weights`` (by their values, wherever they came from), ``model`` and
        ``pipeline`` (their settings).
    """
    weights = inferencer.model.state_dict()
    return dict(
        weights=digest({name: tensor.cpu() for name, tensor in weights.items()}),
        model=settings_digest(_influential(inferencer.cfg.model.to_dict())),
        pipeline=settings_digest(steps_of_opened(inferencer.cfg, 'VideoDecode')),
    )


def settings_digest(settings: Any) -> str:
    """Return a digest of dicts, lists and plain values."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()


def _influential(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _influential(node[k]) for k in node.keys() - _OTHER_SETTINGS}
    return [_influential(n) for n in node] if isinstance(node, (list, tuple)) else node
