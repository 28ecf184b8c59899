"""Annotation lists: one ``path label`` a line."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mmengine.fileio import exists, get

from mmxclip.datasets.lists.video_files import is_video_name
from mmxclip.utils.files import decode_text, write_text

# A first line that names the columns of a table.
HEADER = re.compile(
    r'"?(path|file|file_?name|video|video_?(path|name|id)|clip|name)"?'
    r'(\s*[\s,;]\s*"?(labels?|class|class_?(id|index)|category|target)"?)?',
    re.IGNORECASE,
)


class Entry(NamedTuple):
    """A line of an annotation list."""

    path: str
    label: int


def parse_list(
    text: str, where: str, delimiter: str = ' ', *, unlabelled: bool = False
) -> list[Entry]:
    """Entries of the text of a list.

    Blanks, tabs, commas and semicolons between path and label are taken for what they
    are; a first line that names the columns, and quotes, do not count.

    Args:
        text: Content of the list; empty lines are skipped. Blanks around path and
            label do not count, those in the path do.
        where: Name of the list, for messages.
        delimiter: What else may stand between path and label.
        unlabelled: Whether a line may be a path alone, whose label is then -1. With
            a separator in it, it is one if it ends as videos do (.mp4, ...).

    Raises:
        ValueError: A line is not a path and an integer from 0.
    """
    return [
        Entry(path, labels[0] if labels else -1)
        for path, labels in _parse(text, where, delimiter, unlabelled=unlabelled)
    ]


def parse_multi_label_list(
    text: str, where: str, delimiter: str = ' '
) -> list[tuple[str, list[int]]]:
    """Paths with one or several labels each, otherwise as :func:`parse_list`."""
    return list(_parse(text, where, delimiter, several=True))


def _parse(
    text: str, where: str, delimiter: str, **kinds: bool
) -> Iterator[tuple[str, list[int]]]:
    separator = rf'\s*(?:[\s,;]|{re.escape(delimiter)})\s*'
    first = True
    # Not splitlines(), which also cuts at characters that a path may hold (U+2028).
    lines = (line.strip() for line in re.split(r'\r\n?|\n', text))
    for number, line in enumerate(lines, 1):
        if line and not (first and HEADER.fullmatch(line)):
            try:
                yield _parse_line(line, separator, **kinds)
            except ValueError as error:
                raise ValueError(f'{where}, line {number}: {error}') from error
        first = first and not line


def _parse_line(
    line: str, separator: str, *, unlabelled: bool = False, several: bool = False
) -> tuple[str, list[int]]:
    if unlabelled and (is_video_name(line) or not re.search(separator, line)):
        return line, []
    labelled = re.compile(rf'(.*?){separator}"?(\d+)"?')
    path, labels = line, list[int]()
    while (several or not labels) and (match := labelled.fullmatch(path)):
        path = match[1]
        labels.insert(0, int(match[2]))
        if is_video_name(path):
            break
    if not labels:
        raise ValueError(_no_label(line, separator))
    more = labelled.fullmatch(path)
    if more and is_video_name(more[1]):
        raise ValueError(
            f'one label is expected, got {more[2]} and {labels[0]} in {line!r}; for '
            'several see docs/howto/custom_dataset.md, "Several labels"'
        )
    if len(path) > 1 and path[0] == path[-1] == '"':  # as tables quote
        path = path[1:-1].replace('""', '"')
    if not path:
        raise ValueError(f'there is no path in {line!r}')
    return path, labels


def _no_label(line: str, separator: str) -> str:
    *_, last = re.split(separator, line)
    if last == line:
        return f'expected "path label", got {line!r}'
    if re.match(rf'"?\d+"?{separator}', line) and is_video_name(last.strip('"')):
        return f'the path comes first, then the label, got {line!r}'
    return (
        f'the label must be an integer from 0, got {last!r} in {line!r}; write for a '
        'class the number of its line in the class list, counted from 0'
    )


def read_list(
    path: str | os.PathLike, delimiter: str = ' ', *, unlabelled: bool = False
) -> list[Entry]:
    """Read an annotation list from any storage of MMEngine; see :func:`parse_list`.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It is no regular file, or cannot be read.
        ValueError: A line is not a path and an integer from 0, or it is no text.
    """
    text = read_text(path)
    return parse_list(text, os.fspath(path), delimiter, unlabelled=unlabelled)


def read_text(path: str | os.PathLike) -> str:
    """Read a text file from any storage of MMEngine; errors as :func:`read_list`."""
    where = os.fspath(path)
    if not exists(where):
        raise FileNotFoundError(f'no annotation list {where!r} in {Path.cwd()}')
    # A pipe would be waited for, for ever.
    if os.path.exists(where) and not os.path.isfile(where):
        raise OSError(f'{where} is no regular file, and cannot be read as a list')
    return decode_text(get(where), where)


def write_list(
    path: str | os.PathLike,
    entries: Iterable[Entry],
    overwrite: bool = False,
    delimiter: str = ' ',
) -> Path:
    """Write an annotation list in one step; see :func:`write_text`."""
    lines = [f'{entry.path}{delimiter}{entry.label}\n' for entry in entries]
    return write_text(path, ''.join(lines), overwrite)
