"""Annotation lists: one ``path label`` a line, as the host's data sets read them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A line of an annotation list."""

    path: str
    label: int


def parse_list(text: str, where: str, delimiter: str = ' ') -> list[Entry]:
    """Entries of the text of a list.

    Args:
        text: Content of the list; empty lines are skipped.
        where: Name of the list, for messages.
        delimiter: What stands between path and label.

    Raises:
        ValueError: A line is not a path and an integer.
    """
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        path, _, label = line.strip().rpartition(delimiter)
        if not path or not label.strip().lstrip('-').isdecimal():
            raise ValueError(
                f'{where}, line {number}: expected "path{delimiter}label" with an '
                f'integer label, got {line!r}'
            )
        entries.append(Entry(path.strip(), int(label)))
    return entries


def read_list(path: str | os.PathLike, delimiter: str = ' ') -> list[Entry]:
    """Read an annotation list from a file; see :func:`parse_list`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is not a path and an integer.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no annotation list {str(path)!r} in {Path.cwd()}')
    return parse_list(path.read_text(encoding='utf-8'), str(path), delimiter)


def write_text(path: str | os.PathLike, text: str, overwrite: bool = False) -> Path:
    """Write a text file in one step, so that nobody ever sees half of it.

    Args:
        path: The file; folders are made.
        text: Its content.
        overwrite: Replace a file of other content. The same content is no change
            and always allowed.

    Raises:
        FileExistsError: A file of other content is there and ``overwrite`` is off.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        if path.read_text(encoding='utf-8') == text:
            return path
        raise FileExistsError(
            f'{path} exists with other content; pass --overwrite to replace it, or '
            'write somewhere else'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f'.{path.name}.{os.getpid()}')
    scratch.write_text(text, encoding='utf-8', newline='\n')
    os.replace(scratch, path)
    return path


def write_list(
    path: str | os.PathLike,
    entries: Iterable[Entry],
    overwrite: bool = False,
    delimiter: str = ' ',
) -> Path:
    """Write an annotation list in one step; see :func:`write_text`."""
    lines = [f'{entry.path}{delimiter}{entry.label}\n' for entry in entries]
    return write_text(path, ''.join(lines), overwrite)
