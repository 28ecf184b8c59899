"""Explanations as files: the ending of the name says what kind."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from mmxclip.inference.explanation import Explanation
from mmxclip.inference.outputs import check_outputs
from mmxclip.inference.picture_files import save_picture
from mmxclip.utils.files import write_text

ENDINGS = ('.png', '.json')
_DIGITS = 5


def write_explanation(
    found: Explanation, path: str | os.PathLike, *, overwrite: bool = False
) -> None:
    """Write an explanation, whole or not at all.

    Args:
        found: What :func:`explain` returns.
        path: A file ending in ``.png`` (a picture) or ``.json`` (all numbers).
        overwrite: Whether it may replace a file.

    Raises:
        OSError: It cannot be written, or it exists.
        ValueError: Another ending.
    """
    check_outputs([path], '', ENDINGS, overwrite=overwrite)
    if Path(path).suffix.lower() == '.json':
        write_text(path, as_json(found), overwrite=overwrite)
        return
    # It takes a second to load.
    from mmxclip.inference.explanation_picture import draw_explanation  # noqa: PLC0415

    save_picture(draw_explanation(found), path)


def as_json(found: Explanation) -> str:
    """Return all of an explanation but the frames."""
    labels = [
        dict(label=label, score=score, frames=frames, map=heat)
        for label, score, frames, heat in zip(
            found.labels,
            *map(_plain, (found.scores, found.contributions, found.maps)),
            strict=True,
        )
    ]
    parts = dict(
        clip=found.clip,
        best=found.labels[found.best],
        view=found.view,
        views=found.views,
        patch=found.patch,
        method=found.method,
        frames_are='left out' if found.left_out else 'hidden',
        deletion={name: _plain(x) for name, x in vars(found.deletion).items()},
        messages=_plain(found.messages),
        labels=labels,
    )
    return json.dumps(parts, ensure_ascii=False) + '\n'


def _plain(values: np.ndarray) -> Any:
    return np.asarray(values, float).round(_DIGITS).tolist()
