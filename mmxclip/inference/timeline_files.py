"""Timelines as files: the ending of the name says what kind."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

from mmxclip.inference.outputs import check_outputs
from mmxclip.inference.picture_files import save_picture
from mmxclip.inference.ranges import Range
from mmxclip.inference.timeline import Timeline
from mmxclip.utils.files import write_text


def write_timeline(
    timeline: Timeline, path: str | os.PathLike, *, overwrite: bool = False
) -> None:
    """Write a timeline, whole or not at all.

    Args:
        timeline: What :func:`make_timeline` has found.
        path: A file ending in ``.json`` (all scores of all windows, and the ranges),
            ``.csv`` (the ranges), ``.srt``, ``.vtt`` (subtitles), ``.png`` (a picture)
            or ``.mp4`` (the film with the labels written into it, without sound).
        overwrite: Whether it may replace a file.

    Raises:
        OSError: It cannot be written, or it exists.
        ValueError: Another ending.
    """
    check_outputs([path], timeline.film, ENDINGS, overwrite=overwrite)
    _WRITERS[Path(path).suffix.lower()](timeline, Path(path))


def clock(seconds: float, point: str = '.') -> str:
    """Return a time as players show it: ``01:02:03.450``."""
    total = round(max(seconds, 0) * 1000)
    minutes, rest = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f'{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}'


def as_json(timeline: Timeline) -> str:
    """Return all of a timeline; scores stand in the order of the labels."""
    windows = [
        dict(
            start=window.start,
            end=window.end,
            scores=[round(float(score), 5) for score in window.scores],
        )
        for window in timeline.windows
    ]
    names = ('film', 'duration', 'whole', 'labels')
    found = {name: getattr(timeline, name) for name in names}
    found |= dict(ranges=[r._asdict() for r in timeline.ranges], windows=windows)
    return json.dumps(found, ensure_ascii=False) + '\n'


def as_csv(timeline: Timeline) -> str:
    """Return the ranges as a table."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator='\n')
    writer.writerow(Range._fields)
    writer.writerows(timeline.ranges)
    return table.getvalue()


def as_srt(timeline: Timeline) -> str:
    """Return the ranges as SubRip subtitles."""
    parts = [
        f'{number}\n{clock(found.start, ",")} --> {clock(found.end, ",")}\n'
        f'{_one_line(found.label)}\n'
        for number, found in enumerate(_by_start(timeline), 1)
    ]
    return '\n'.join(parts)


def as_vtt(timeline: Timeline) -> str:
    """Return the ranges as WebVTT subtitles, which browsers show."""
    escapes = {'&': '&amp;', '<': '&lt;', '>': '&gt;'}
    parts = ['WEBVTT\n']
    for found in _by_start(timeline):
        label = ''.join(escapes.get(c, c) for c in _one_line(found.label))
        parts.append(f'{clock(found.start)} --> {clock(found.end)}\n{label}\n')
    return '\n'.join(parts)


def _by_start(timeline: Timeline) -> list[Range]:
    return sorted(timeline.ranges, key=lambda found: found.start)


def _one_line(label: str) -> str:
    return ' '.join(label.split())


def _text(make: Callable[[Timeline], str]) -> Callable[[Timeline, Path], None]:
    def write(timeline: Timeline, path: Path) -> None:
        write_text(path, make(timeline), overwrite=True)

    return write


def _write_picture(timeline: Timeline, path: Path) -> None:
    # It takes a second to load.
    from mmxclip.inference.timeline_picture import draw_timeline  # noqa: PLC0415

    save_picture(draw_timeline(timeline), path)


def _write_film(timeline: Timeline, path: Path) -> None:
    from mmxclip.inference.captions import write_captioned  # noqa: PLC0415

    write_captioned(timeline.film, timeline.ranges, path)


_WRITERS: dict[str, Callable[[Timeline, Path], None]] = {
    '.json': _text(as_json),
    '.csv': _text(as_csv),
    '.srt': _text(as_srt),
    '.vtt': _text(as_vtt),
    '.png': _write_picture,
    '.mp4': _write_film,
}
ENDINGS = tuple(_WRITERS)
