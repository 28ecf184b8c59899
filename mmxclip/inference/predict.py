"""The model that a command line asks for."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmxclip.checkpoints.zoo import OfflineError, find
from mmxclip.datasets.shape_actions import MOTIONS
from mmxclip.inference.named_models import (
    DEMO_NAME,
    RECOMMENDED,
    find_model,
    find_trained,
    is_name,
)
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

# What a file of a user's can make go wrong.
ERRORS = (OSError, ValueError, RuntimeError, SyntaxError)


def open_inferencer(
    names: Sequence[str] | None = None,
    config: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    **options: Any,
) -> XCLIPInferencer:
    """Return the model that a command line asks for, with a word of warning if need be.

    Args:
        names: Class names, or :class:`mmxclip.text.Classes` with descriptions. Default:
            those of the config.
        config: Name of a released model, or the path of a config. Default: the config
            that fits the checkpoint; without one, the model that is recommended for
            any words, or, where it is not here and there is no network, the demo's.
        checkpoint: Its path. Default: that of the name; the last one of the config's
            training.
        device: Default: a GPU if there is one.
        **options: ``engine`` and ``dtype``, see :class:`XCLIPInferencer`.
    """
    if checkpoint is None and config is None:
        config, checkpoint = _default_model(names)
    elif checkpoint is None and not is_name(config):
        checkpoint = find_trained(Path('work_dirs', Path(str(config)).stem))
    inferencer = XCLIPInferencer(
        config, checkpoint, classes=names, device=device, **options
    )
    inferencer.show_progress = False
    return inferencer


def _default_model(names: Sequence[str] | None) -> tuple[str, str]:
    config, weights = find_model(RECOMMENDED)
    try:
        return config, str(find(weights))
    except OfflineError as error:
        try:
            demo = find_model(DEMO_NAME)
        except FileNotFoundError:
            raise error from None
    _warn_of_the_demo(names)
    return demo


def _warn_of_the_demo(labels: Sequence[str] | None) -> None:
    """Say that the demo's model does not know other labels than its own."""
    others = [name for name in labels or [] if name not in MOTIONS]
    if others:
        print(  # noqa: T201
            f"warning: without a network, this is the demo's model, which has seen "
            f'{len(MOTIONS)} motions of drawn shapes and nothing else: its scores for '
            f'{others[0]!r} mean nothing. For other videos give --model with a name of '
            '--list-models once there is a network, or --checkpoint with a file.',
            file=sys.stderr,
        )
