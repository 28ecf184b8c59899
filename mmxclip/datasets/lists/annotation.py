"""Annotation lists: one ``path label`` a line."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mmengine.fileio import exists, get

from mmxclip.utils.files import decode_text, write_text

VIDEO_SUFFIXES = frozenset(
    [
        '.avi',
        '.flv',
        '.m4v',
        '.mkv',
        '.mov',
        '.mp4',
        '.mpeg',
        '.mpg',
        '.ts',
        '.webm',
        '.wmv',
    ]
)
# Of a table: a line that names the columns.
_HEADER = re.compile(r'(path|file|filename|video)([,;\t]\s*(label|class))?', re.I)


class Entry(NamedTuple):
    """A line of an annotation list."""

    path: str
    label: int


def parse_list(
    text: str, where: str, delimiter: str = ' ', *, unlabelled: bool = False
) -> list[Entry]:
    """Entries of the text of a list.

    Args:
        text: Content of the list; empty lines are skipped. Blanks around path and
            label do not count, those in the path do.
        where: Name of the list, for messages.
        delimiter: What stands between path and label.
        unlabelled: Whether a line may be a path alone, whose label is then -1. With
            the delimiter in it, it is one if it ends as videos do (.mp4, ...).

    Raises:
        ValueError: A line is not a path and an integer from 0.
    """
    entries = []
    # Not splitlines(), which also cuts at characters that a path may hold (U+2028).
    for number, line in enumerate(re.split(r'\r\n?|\n', text), 1):
        if not line.strip():
            continue
        try:
            entries.append(_parse_line(line.strip(), delimiter, unlabelled))
        except ValueError as error:
            raise ValueError(f'{where}, line {number}: {error}') from error
    return entries


def _parse_line(line: str, delimiter: str, unlabelled: bool) -> Entry:
    path, delimited, label = line.rpartition(delimiter)
    path, label = path.strip(), label.strip()
    if not label.isdecimal() and re.search(r'[\t,;]\s*\d+$', line):
        raise ValueError(
            f'path and label must be separated by {delimiter!r}, got {line!r}'
        )
    if unlabelled and os.path.splitext(line)[1].lower() in VIDEO_SUFFIXES:
        return Entry(line, -1)
    if delimited:
        if not path:
            raise ValueError(f'there is no path in {line!r}')
        if not label.isdecimal():
            raise ValueError(
                f'the label must be an integer from 0, got {label!r} in {line!r}'
            )
        return Entry(path, int(label))
    if _HEADER.fullmatch(line):
        raise ValueError(f'{line!r} is a header, not a video; remove that line')
    if not unlabelled:
        raise ValueError(f'expected "path{delimiter}label", got {line!r}')
    return Entry(line, -1)


def read_list(
    path: str | os.PathLike, delimiter: str = ' ', *, unlabelled: bool = False
) -> list[Entry]:
    """Read an annotation list from any storage of MMEngine; see :func:`parse_list`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is not a path and an integer from 0, or it is no text.
    """
    where = os.fspath(path)
    if not exists(where):
        raise FileNotFoundError(f'no annotation list {where!r} in {Path.cwd()}')
    text = decode_text(get(where), where)
    return parse_list(text, where, delimiter, unlabelled=unlabelled)


def write_list(
    path: str | os.PathLike,
    entries: Iterable[Entry],
    overwrite: bool = False,
    delimiter: str = ' ',
) -> Path:
    """Write an annotation list in one step; see :func:`write_text`."""
    lines = [f'{entry.path}{delimiter}{entry.label}\n' for entry in entries]
    return write_text(path, ''.join(lines), overwrite)
