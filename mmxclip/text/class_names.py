"""Class names: from a list, a file or one of the packaged lists."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from mmxclip.utils.files import decode_text

_LABELS_DIR = Path(__file__).parent / 'labels'


def packaged_class_names() -> list[str]:
    """Names of the packaged lists, sorted.

    ``*_base`` and ``*_novel`` are the halves of the base-to-novel protocol,
    ``kinetics600_zero_shot_split{1,2,3}`` the rounds of 160 categories that
    Kinetics-400 lacks, ``ucf101*_words`` the UCF-101 names with their words
    split ('Apply Eye Makeup'; ``ucf101`` has them as published,
    'ApplyEyeMakeup'), and ``hmdb51*_fixed`` the HMDB-51 names in the order that the
    labels of the published lists mean. As published, two pairs are swapped there:
    videos of 'kick' carry the label of 'kick ball', those of 'sword' that of 'sword
    exercise', and the reverse. Numbers of papers come from the swapped names.
    """
    return sorted(path.stem for path in _LABELS_DIR.glob('*.txt'))


def load_class_names(
    source: str | os.PathLike | Sequence[str],
) -> list[str]:
    """Class names in label order.

    Args:
        source: A sequence of names; or the name of a packaged list (see
            :func:`packaged_class_names`), which goes before a file of that
            name; or a file: ``.csv`` with the columns ``id,name`` (rows in any
            order), anything else one name per line.

    Returns:
        K names, stripped of surrounding white space. Position = label.

    Raises:
        FileNotFoundError: The path does not exist.
        ValueError: No names, an empty or a repeated name, csv columns or ids
            that are not 0 to K-1, or an unknown packaged name.
        TypeError: ``source`` holds something else than strings, or is none of the
            above, such as a set, which has no order.

    Examples:
        >>> load_class_names(['run', ' walk '])
        ['run', 'walk']
        >>> load_class_names('ucf101')[0], load_class_names('ucf101_words')[0]
        ('ApplyEyeMakeup', 'Apply Eye Makeup')
    """
    if isinstance(source, (str, os.PathLike)):
        return _checked(_read(os.fspath(source)), str(source))
    if isinstance(source, bytes) or not isinstance(source, Sequence):
        raise TypeError(
            'class names must be a list of strings, a file or a packaged list, '
            f'got {source!r}'
        )
    return _checked(list(source), 'the given class names')


def _read(source: str) -> list[str]:
    packaged = packaged_class_names()
    if source in packaged:
        return _read_lines(_LABELS_DIR / f'{source}.txt')
    path = Path(source)
    if path.is_file():
        return _read_csv(path) if path.suffix.lower() == '.csv' else _read_lines(path)
    if path.suffix or path.name != source:
        raise FileNotFoundError(
            f'class names: no file {source!r} (looked in {Path.cwd()}); give a '
            'file with one name per line, an "id,name" csv, or a packaged list: '
            f'{", ".join(packaged)}'
        )
    raise ValueError(
        f'class names: {source!r} is neither a file nor a packaged list; give names '
        f'themselves as a list. Packaged are {", ".join(packaged)}'
    )


def _read_lines(path: Path) -> list[str]:
    """Lines of a text file; empty ones count, except at the end of the file."""
    return decode_text(path.read_bytes(), str(path)).rstrip().splitlines()


def _read_csv(path: Path) -> list[str]:
    text = StringIO(decode_text(path.read_bytes(), str(path)), newline=None)
    reader = csv.DictReader(text, skipinitialspace=True)
    columns = reader.fieldnames or []
    if not {'id', 'name'} <= set(columns):
        raise ValueError(
            f'{path}: the first line must name the columns "id,name", it is '
            f'{",".join(columns)!r}'
        )
    rows = [(row['id'], row['name']) for row in reader]
    by_id = {int(i): name for i, name in rows if (i or '').strip().isdecimal()}
    if sorted(by_id) != list(range(len(rows))):
        raise ValueError(
            f'{path}: the ids of {len(rows)} classes must be 0 to {len(rows) - 1}, '
            f'each once; found {_shorten([i for i, _ in rows])}'
        )
    return [by_id[i] for i in range(len(rows))]


def _checked(names: list[str], where: str) -> list[str]:
    if not names:
        raise ValueError(f'{where}: no class names; give at least one')
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f'{where}: class {i} is {name!r}, not a string')
        if not any(sign.isprintable() and not sign.isspace() for sign in name):
            raise ValueError(
                f'{where}: the name of class {i} is empty; every class needs a '
                'name, because the position in the list is the label'
            )
    names = [name.strip() for name in names]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f'{where}: {_shorten(repeated)} named more than once; classes with '
            'one text cannot be told apart, rename or merge them'
        )
    return names


def _shorten(items: Sequence[object], limit: int = 8) -> str:
    shown = ', '.join(repr(item) for item in items[:limit])
    return shown if len(items) <= limit else f'{shown}, ... ({len(items)} in all)'
