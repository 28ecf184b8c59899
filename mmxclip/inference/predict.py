"""Predictions for a command: videos one by one, in words or as JSON."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mmxclip.checkpoints.zoo import OfflineError, find
from mmxclip.datasets.shape_actions import MOTIONS
from mmxclip.inference.demo import find_trained
from mmxclip.inference.inputs import name_of
from mmxclip.inference.labels import parse_labels
from mmxclip.inference.named_models import (
    DEMO_NAME,
    RECOMMENDED,
    find_model,
    is_name,
)
from mmxclip.inference.picture_files import picture_paths, save_picture
from mmxclip.inference.xclip_inferencer import XCLIPInferencer

# What a file of a user's can make go wrong.
ERRORS = (OSError, ValueError, RuntimeError, SyntaxError)


def predict(
    videos: Sequence[str],
    *,
    labels: str | None = None,
    config: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    top: int = 5,
    out: str = 'work_dirs/predictions',
    as_json: bool = False,
) -> bool:
    """Print the best classes of videos and save a picture of each.

    Args:
        videos: Files, addresses, members of archives.
        labels: Class names, see :func:`parse_labels`. Default: those of the config.
        config: Name of a released model, or the path of a config. Default: the config
            that fits the checkpoint; without one, the model that is recommended for
            any words, or, where it is not here and there is no network, the demo's.
        checkpoint: Its path. Default: that of the name; the last one of the config's
            training.
        device: Default: a GPU if there is one.
        top: Scores to print.
        out: Folder of the pictures.
        as_json: Print JSON and nothing else, and draw nothing.

    Returns:
        Whether all videos could be read; of the others the error is told.

    Raises:
        OSError: A file of the model or the labels is missing, or ``out`` cannot be.
        ValueError: They cannot be read, or do not fit each other.
    """
    rows = []
    with redirect_stdout(sys.stderr):  # libraries print; the answers are for stdout
        names = None if labels is None else parse_labels(labels)
        if not as_json:
            Path(out).mkdir(parents=True, exist_ok=True)
        inferencer = open_inferencer(names, config, checkpoint, device)
    for video, picture in zip(videos, picture_paths(videos, out), strict=True):
        with redirect_stdout(sys.stderr):
            row = _predict_one(inferencer, video, top, None if as_json else picture)
        rows.append(row)
        if not as_json:
            _report(row)
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201
    return not any('error' in row for row in rows)


def open_inferencer(
    names: Sequence[str] | None = None,
    config: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
) -> XCLIPInferencer:
    """Return the model that a command line asks for, with a word of warning if need be.

    Args:
        names: Class names. Default: those of the config.
        config: See :func:`predict`.
        checkpoint: See :func:`predict`.
        device: See :func:`predict`.
    """
    if checkpoint is None and config is None:
        config, checkpoint = _default_model(names)
    elif checkpoint is None and not is_name(config):
        checkpoint = find_trained(Path('work_dirs', Path(str(config)).stem))
    inferencer = XCLIPInferencer(config, checkpoint, classes=names, device=device)
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


def _predict_one(
    inferencer: XCLIPInferencer, video: str, top: int, picture: Path | None
) -> dict[str, Any]:
    """Return video, pred_class, scores and picture as a dict, or video and error."""
    try:
        results = inferencer(video, return_vis=picture is not None)
        if picture is not None:
            save_picture(results['visualization'][0], picture)
    except ERRORS as error:
        named = '' if name_of(video) in str(error) else f'{video}: '
        return dict(video=video, error=' '.join(f'{named}{error}'.split()))
    prediction = results['predictions'][0]
    row = dict(
        video=video,
        pred_class=prediction['pred_class'],
        scores=dict(list(prediction['scores'].items())[:top]),
    )
    return row if picture is None else row | dict(picture=str(picture))


def _report(row: dict[str, Any]) -> None:
    """Print the scores of one video as bars."""
    if 'error' in row:
        print(f'\nerror: {row["error"]}', file=sys.stderr)  # noqa: T201
        return
    width = max(len(name) for name in row['scores'])
    lines = [f'\n{row["video"]}: {row["pred_class"]}']
    for name, score in row['scores'].items():
        lines.append(f'  {name:<{width}}  {score:6.1%}  {"█" * round(30 * score)}')
    lines.append(f'  picture: {row["picture"]}')
    print('\n'.join(lines))  # noqa: T201


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
