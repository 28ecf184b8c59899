"""Class names: from a list, a file or one of the packaged lists."""

import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmxclip.text.label_files import read_label_file

_LABELS_DIR = Path(__file__).parent / 'labels'
_LONGEST = 1000  # characters; 77 tokens have less
# Control characters, separators of lines and paragraphs, and bytes that are not UTF-8.
_NO_TEXT = ('Cc', 'Zl', 'Zp', 'Cs')


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
            name; or a file, see :func:`read_label_file`.

    Returns:
        K names, stripped of surrounding white space. Position = label.

    Raises:
        FileNotFoundError: The path does not exist.
        ValueError: No names, an empty or a repeated name, one with control characters
            or longer than any text that CLIP reads, an unknown packaged name, or a
            file that cannot be read.
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
        return read_label_file(_LABELS_DIR / f'{source}.txt')
    path = Path(source)
    if os.path.isfile(path):  # False also for names that no file can have
        return read_label_file(path)
    if path.suffix or path.name != source:
        raise FileNotFoundError(
            f'class names: no file {source!r} (looked in {Path.cwd()}); give a '
            'file with one name per line, an "id,name" table, or a packaged list: '
            f'{", ".join(packaged)}'
        )
    raise ValueError(
        f'class names: {source!r} is neither a file nor a packaged list; give names '
        f'themselves as a list. Packaged are {", ".join(packaged)}'
    )


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
        if len(name) > _LONGEST:
            raise ValueError(
                f'{where}: the name of class {i} has {len(name)} characters, more than '
                f'{_LONGEST}; it begins {name[:40]!r}'
            )
        for sign in name.strip():
            if unicodedata.category(sign) in _NO_TEXT:
                raise ValueError(
                    f'{where}: the name of class {i}, {name!a}, holds {sign!a}, which '
                    'is no character of a text; remove it'
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
