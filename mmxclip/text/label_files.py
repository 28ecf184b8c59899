"""Files of class names and descriptions, taken for what they are by their content."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mmxclip.utils.files import decode_text

_NEWLINE = re.compile(r'\r\n|\r|\n')  # no others: a name may not hold them anyway
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_NUMBERED = re.compile(r'\s*(\d+)(?:\s*[,;\t]|\s)\s*(\S.*)')


# What the columns of a table may be called, in small letters.
_COLUMNS = {
    'id': ('id', 'sno'),
    'name': ('name', 'class name'),
    'text': ('text', 'description', 'gpt3 discription'),
}


@dataclass(frozen=True)
class Described:
    """Texts of classes, in label order.

    Attributes:
        names: Names of the classes; None where a file has their numbers only.
        texts: For each class its texts.
    """

    names: list[str] | None
    texts: list[list[str]]


def read_label_file(path: Path) -> list[str] | Described:
    """Read class names, or descriptions of classes, in label order.

    Args:
        path: Names: JSON, a list of names or a dict of names and numbers, either way
            round; a table whose first line names the columns ``id`` and ``name``,
            separated by commas, semicolons or tabs; lines with a number first, as
            UCF-101's ``classInd.txt``, from 0 or 1; or one name per line.
            Descriptions: JSON, a dict of names and texts, each one or a list of them; a
            dict of numbers and lists of texts, as OST publishes, or of numbers and
            ``'Name: text'``, as FROSTER; or a table with a column ``text``, too, or
            as EZ-CLIP publishes. UTF-8, with or without byte order mark.

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
        by_id = dict(zip(ids, map(_unquote, names), strict=True))
        return [by_id[i] for i in sorted(by_id)]
    if path.suffix.lower() in ('.csv', '.tsv'):
        raise ValueError(
            f'{path}: the first line must name the columns "id,name", it is '
            f'{lines[0][:80]!r}; or each line must begin with a number, from 0 or 1'
        )
    return [_unquote(line) for line in lines]


def _parse_json(text: str, path: Path) -> list[str] | Described:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is no JSON: {error}') from error
    if isinstance(content, list) and all(isinstance(x, str) for x in content):
        return content
    if isinstance(content, Mapping) and content:
        turned = [(str(x), name) for name, x in content.items()]
        if all(isinstance(x, int) for x in content.values()):
            return _ordered(turned, path)
        if all(_is_texts(texts) for texts in content.values()):
            return _described(content, path)
    raise ValueError(
        f'{path} must hold a list of class names, a dict of names and numbers, or a '
        'dict of names, or numbers, and texts (one or a list of them)'
    )


def _is_texts(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(text, str) for text in value)
    return isinstance(value, str)


def _described(
    content: Mapping[str, str | list[str]], path: Path
) -> list[str] | Described:
    """Take a dict of texts for what it is by its keys, names or numbers."""
    texts = {key: [x] if isinstance(x, str) else x for key, x in content.items()}
    if not all(key.isdecimal() for key in content):
        return Described(list(texts), list(texts.values()))
    ordered = _ordered(list(texts.items()), path)
    if any(isinstance(x, list) for x in content.values()):
        return Described(None, ordered)
    names = [text.partition(': ') for (text,) in ordered]
    if all(rest for *_, rest in names):
        return Described([name for name, *_ in names], ordered)
    return [text for (text,) in ordered]


def _parse_table(text: str, delimiter: str, path: Path) -> list[str] | Described:
    reader = csv.DictReader(
        StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True
    )
    try:
        given = list(reader.fieldnames or ())
        reader.fieldnames = _columns(given)
        rows = [
            (row['id'], (row['name'] or '', row.get('text') or '')) for row in reader
        ]
    except csv.Error as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}') from error
    numbers = _unquote(given[reader.fieldnames.index('id')]).lower()
    ordered = _ordered(rows, path, first=1 if numbers == 'sno' else 0)
    names = [name for name, _ in ordered]
    if 'text' not in reader.fieldnames:
        return names
    return Described(names, [[text] for _, text in ordered])


def _columns(names: Sequence[str]) -> list[str]:
    """Return what columns are called here."""
    known = {other: name for name, others in _COLUMNS.items() for other in others}
    given = [_unquote(name).lower() for name in names]
    return [known.get(name, name) for name in given]


def _ordered(
    rows: Sequence[tuple[str | None, Any]], path: Path, first: int = 0
) -> list[Any]:
    numbered = ((i.strip(), value) for i, value in rows if i is not None)
    by_id = {int(i): value for i, value in numbered if i.isdecimal()}
    ids = sorted(by_id)
    if len(by_id) != len(rows) or ids != _range(ids, first):
        given = ', '.join(repr(i) for i, _ in rows[:8])
        more = ', ...' if len(rows) > 8 else ''
        raise ValueError(
            f'{path}: the ids of {len(rows)} classes must be {first} to '
            f'{len(rows) - 1 + first}, each once; found {given}{more}'
        )
    return [by_id[i] for i in ids]


def _range(ids: Sequence[int], first: int = 0) -> list[int]:
    return list(range(first, first + len(ids)))


def _unquote(name: str) -> str:
    name = name.strip()
    quoted = _QUOTED.fullmatch(name)
    return quoted[1].replace('""', '"') if quoted else name
