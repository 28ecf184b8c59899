"""Files of class names, taken for what they are by their content."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from mmxclip.utils.files import decode_text

_NEWLINE = re.compile(r'\r\n|\r|\n')  # no others: a name may not hold them anyway
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_NUMBERED = re.compile(r'\s*(\d+)(?:\s*[,;\t]|\s)\s*(\S.*)')


def read_label_file(path: Path) -> list[str]:
    """Read class names in label order.

    Args:
        path: JSON, a list of names or a dict of names and numbers, either way round;
            a table whose first line names the columns ``id`` and ``name``, separated
            by commas, semicolons or tabs; lines with a number first, as UCF-101's
            ``classInd.txt``, from 0 or 1; or one name per line. UTF-8, with or
            without byte order mark.

    Raises:
        ValueError: It is none of these, or numbers are missing or repeated.
    """
    text = decode_text(path.read_bytes(), str(path))
    if path.suffix.lower() == '.json':
        return _parse_json(text, path)
    if not text.strip():
        return []
    lines = _NEWLINE.split(text.rstrip())
    delimiter = next((sign for sign in '\t;,' if sign in lines[0]), ',')
    if {'id', 'name'} <= set(_columns(lines[0].split(delimiter))):
        return _parse_table(text, delimiter, path)
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    ids = [int(match[1]) for match in numbered if match is not None]
    if len(ids) == len(lines) and sorted(ids) in (_range(ids), _range(ids, 1)):
        names = [match[2] for match in numbered if match is not None]
        return _in_order(dict(zip(ids, map(_unquote, names), strict=True)))
    if path.suffix.lower() in ('.csv', '.tsv'):
        raise ValueError(
            f'{path}: the first line must name the columns "id,name", it is '
            f'{lines[0][:80]!r}; or each line must begin with a number, from 0 or 1'
        )
    return [_unquote(line) for line in lines]


def _columns(header: Sequence[str]) -> list[str]:
    return [_unquote(column).lower() for column in header]


def _parse_json(text: str, path: Path) -> list[str]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no JSON: {error}') from error
    if isinstance(content, list) and all(isinstance(x, str) for x in content):
        return content
    if isinstance(content, Mapping):
        for pairs in (content.items(), [(i, name) for name, i in content.items()]):
            if all(str(i).isdecimal() and isinstance(name, str) for i, name in pairs):
                return _ordered([(str(i), name) for i, name in pairs], path)
    raise ValueError(
        f'{path} must hold a list of class names, or a dict of names and numbers'
    )


def _parse_table(text: str, delimiter: str, path: Path) -> list[str]:
    reader = csv.DictReader(
        StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True
    )
    try:
        reader.fieldnames = _columns(reader.fieldnames or ())
        return _ordered([(row['id'], row['name'] or '') for row in reader], path)
    except csv.Error as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}') from error


def _ordered(rows: Sequence[tuple[str | None, str]], path: Path) -> list[str]:
    numbered = ((i.strip(), name) for i, name in rows if i is not None)
    by_id = {int(i): name for i, name in numbered if i.isdecimal()}
    ids = sorted(by_id)
    if len(by_id) != len(rows) or ids != _range(ids):
        given = ', '.join(repr(i) for i, _ in rows[:8])
        more = ', ...' if len(rows) > 8 else ''
        raise ValueError(
            f'{path}: the ids of {len(rows)} classes must be 0 to {len(rows) - 1}, '
            f'each once; found {given}{more}'
        )
    return _in_order(by_id)


def _range(ids: Sequence[int], first: int = 0) -> list[int]:
    return list(range(first, first + len(ids)))


def _in_order(by_id: Mapping[int, str]) -> list[str]:
    return [by_id[i] for i in sorted(by_id)]


def _unquote(name: str) -> str:
    name = name.strip()
    quoted = _QUOTED.fullmatch(name)
    return quoted[1].replace('""', '"') if quoted else name
