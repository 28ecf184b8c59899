"""Timelines for a command: of films, and of live sources."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process

from mmxclip.inference.labels import parse_labels
from mmxclip.inference.live import LiveTimeline
from mmxclip.inference.outputs import check_outputs
from mmxclip.inference.predict import open_inferencer
from mmxclip.inference.ranges import Range, Rules
from mmxclip.inference.timeline import TimelineInterruptError, make_timeline
from mmxclip.inference.timeline_files import (
    ENDINGS,
    as_json,
    clock,
    write_timeline,
)
from mmxclip.inference.xclip_inferencer import XCLIPInferencer
from mmxclip.utils.checks import check_count
from mmxclip.utils.processes import untracked, with_progress


def film_command(
    film: str,
    *,
    out: Sequence[str] = (),
    in_json: bool = False,
    overwrite: bool = False,
    shots: bool = False,
    batch_size: int = 8,
    **options: Any,
) -> None:
    """Print what is seen when in a film, and write it into files.

    Args:
        film: The film.
        out: Files, see :func:`write_timeline`.
        in_json: Print JSON and nothing else.
        overwrite: Whether files may be replaced.
        shots: See :func:`make_timeline`.
        batch_size: See there.
        **options: Labels, windows, rules and model, as in ``tools/timeline.py``.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: Labels or settings are wrong, or the film is no video.
        TimelineInterruptError: After what was found until Ctrl-C is printed and
            written.
    """
    with redirect_stdout(sys.stderr):  # libraries print; the answers are for stdout
        check_count('batch_size', batch_size)
        check_outputs(out, film, ENDINGS, overwrite=overwrite)
        inferencer, chosen = _open(**options)
        track = with_progress if is_main_process() else untracked
        chosen |= dict(shots=shots, batch_size=batch_size, track=track)
        try:
            timeline = make_timeline(inferencer, film, **chosen)
        except TimelineInterruptError as stop:
            timeline = stop.timeline
            # The rest of the film would be decoded for it.
            out = [path for path in out if Path(path).suffix.lower() != '.mp4']
    if not is_main_process():
        return
    for path in out:
        write_timeline(timeline, path, overwrite=overwrite)
    lines = map(_line, timeline.ranges)
    text = as_json(timeline) if in_json else ''.join(lines) or _NOTHING
    sys.stdout.write(text)
    if not timeline.whole:
        raise TimelineInterruptError(timeline)


def live_command(source: str, *, patience: float = 60.0, **options: Any) -> None:
    """Print what begins and ends in a live stream, one line of JSON an event.

    Args:
        source: See :class:`Stream`.
        patience: See there.
        **options: Labels, windows, rules and model, as in ``tools/timeline.py``.

    Raises:
        StreamError: The source is none, or has sent nothing for too long.
        OSError: A file cannot be read.
        ValueError: Labels or settings are wrong.
    """
    with redirect_stdout(sys.stderr):
        inferencer, chosen = _open(**options)
        live = LiveTimeline(inferencer, source, patience=patience, **chosen)
    try:
        for event in live.events():
            _tell(event)
    except KeyboardInterrupt:
        for event in live.finish():
            _tell(event)


_NOTHING = 'Nothing of the labels is seen; a lower --threshold shows more.\n'


def _open(
    *,
    labels: str | None,
    background: str | None,
    threshold: float | None,
    release: float | None,
    least: float,
    overlapping: bool,
    window: float,
    stride: float,
    **model: str | None,
) -> tuple[XCLIPInferencer, dict[str, Any]]:
    """Return the model, and what films and live sources have in common."""
    others: Sequence[str] = ()
    names = None
    if background is not None:
        others = parse_labels(background, option='--background', least=1)
    if labels is not None:
        names = parse_labels(labels, least=1 if others else 2)
    inferencer = open_inferencer(names, **model)
    if threshold is None:  # a calibrated one counts for the labels alone
        threshold = (None if others else inferencer.threshold) or 0.5
    rules = Rules(threshold, release, least, overlapping)
    return inferencer, dict(
        background=others, rules=rules, window=window, stride=stride
    )


def _line(found: Range) -> str:
    times = f'{clock(found.start)} - {clock(found.end)}'
    return f'{times}  {found.score:6.1%}  {found.label}\n'


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + '\n')
    sys.stdout.flush()
