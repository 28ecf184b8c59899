"""The comparison of wordings for a command."""

import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mmxclip.inference.labels import parse_labels
from mmxclip.inference.predict import open_inferencer
from mmxclip.inference.wordings import compare_wordings, make_wordings
from mmxclip.utils.files import write_text
from mmxclip.utils.processes import with_progress
from mmxclip.utils.tables import to_markdown


def wordings_command(
    videos: str,
    *,
    labels: str | None,
    folder: str | None,
    model: Mapping[str, str | None],
    out: Path | None = None,
    overwrite: bool = False,
    workers: int = 0,
    **wordings: Any,
) -> None:
    """Print which classes gain and lose by other words.

    Args:
        videos: List of videos and labels.
        labels: See :func:`parse_labels`. Default: those of the config.
        folder: What paths of the list start from. Default: its folder.
        model: See :func:`open_inferencer`.
        out: File for all numbers (.json).
        overwrite: Whether it may be replaced.
        workers: Processes that read videos.
        **wordings: See :func:`make_wordings`.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: Lists, words and model do not fit each other.
    """
    with redirect_stdout(sys.stderr):  # libraries print; the table is for stdout
        classes = None if labels is None else parse_labels(labels)
        inferencer = open_inferencer(classes, **model)
        found = compare_wordings(
            inferencer,
            make_wordings(inferencer.classes, **wordings),
            videos,
            folder or str(Path(videos).parent),
            workers=workers,
            track=with_progress,
        )
    if out is not None:
        write_text(
            out, json.dumps(found.plain(), indent=2, ensure_ascii=False), overwrite
        )
    sys.stdout.write(to_markdown(found.rows()))
