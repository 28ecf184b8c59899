"""Explanations for a command: a few words, a picture and a JSON."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from mmxclip.inference.explanation import Explanation, explain
from mmxclip.inference.explanation_files import ENDINGS, as_json, write_explanation
from mmxclip.inference.labels import parse_labels
from mmxclip.inference.outputs import check_outputs
from mmxclip.inference.picture_files import picture_paths
from mmxclip.inference.predict import open_inferencer
from mmxclip.utils.processes import with_progress


def explain_command(
    clip: str,
    *,
    labels: str | None = None,
    out: Sequence[str] | None = None,
    in_json: bool = False,
    overwrite: bool = False,
    config: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    **options: Any,
) -> None:
    """Print what the best label of a clip rests on, and write it into files.

    Args:
        clip: The clip.
        labels: Class names, see :func:`parse_labels`. Default: those of the config.
        out: Files, see :func:`write_explanation`. Default: a picture and a JSON in
            ``work_dirs/explanations``; none with ``in_json``.
        in_json: Print JSON and nothing else.
        overwrite: Whether files may be replaced.
        config: See :func:`open_inferencer`.
        checkpoint: See there.
        device: See there.
        **options: Of :func:`explain`.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: Labels or settings are wrong.
        RuntimeError: The clip is no video.
    """
    with redirect_stdout(sys.stderr):  # libraries print; the answers are for stdout
        names = None if labels is None else parse_labels(labels)
        if out is None:
            (picture,) = picture_paths([clip], 'work_dirs/explanations')
            out = [] if in_json else [str(picture.with_suffix(e)) for e in ENDINGS]
        check_outputs(out, clip, ENDINGS, overwrite=overwrite)
        inferencer = open_inferencer(names, config, checkpoint, device)
        found = explain(inferencer, clip, track=with_progress, **options)
    for path in out:
        write_explanation(found, path, overwrite=overwrite)
    sys.stdout.write(as_json(found) if in_json else _describe(found, out))


def _describe(found: Explanation, out: Sequence[str]) -> str:
    best = found.best
    place = np.unravel_index(found.maps[best].argmax(), found.maps[best].shape)
    frame, row, column = map(int, place)
    curves = found.deletion
    lines = [
        f'{found.clip}: {found.labels[best]}  {found.scores[best]:.1%}',
        f'  most of all from frame {frame + 1}, the {found.patch} pixels from '
        f'x = {column * found.patch}, y = {row * found.patch}: without them its '
        f'log-odds are {found.maps[best][place]:.2f} lower',
        f'  frames that matter most: {_ranked_frames(found.contributions[best])}',
        f'  mean probability while squares are hidden: {curves.by_map.mean():.2f} in '
        f'the order of the map, {curves.at_random.mean():.2f} at random',
    ]
    if not len(found.messages):
        lines.append('  messages: frames of this model do not talk by message tokens')
    lines += [f'  {Path(path).suffix[1:]}: {path}' for path in out]
    return '\n'.join(lines) + '\n'


def _ranked_frames(contributions: np.ndarray, most: int = 3) -> str:
    ranked = contributions.argsort()[::-1][:most]
    return ', '.join(f'{frame + 1} ({contributions[frame]:+.2f})' for frame in ranked)
