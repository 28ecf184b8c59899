"""Classes as a command line gives them."""

import csv
import os
from collections.abc import Sequence

import yaml

from mmxclip.text import Classes, packaged_class_names
from mmxclip.text.classes import is_class_file

_FILES = ('.txt', '.csv', '.tsv', '.json')


def parse_labels(text: str, *, option: str = '--labels', least: int = 2) -> Classes:
    """Return classes from a list, a file or the name of a packaged list.

    Args:
        text: ``a, b``, where items with commas stand in double quotes; ``["a", "b"]``;
            or a file, a packaged list or both, as :meth:`Classes.of` takes them.
        option: What errors call it.
        least: Whether one name is enough (1) or not (2).

    Raises:
        FileNotFoundError: It looks like a file and there is none.
        ValueError: There are too few names, or one is none; or it is a folder.
    """
    if os.path.isdir(text):
        raise ValueError(
            f'{option} {text!r} is a folder; give a file with one class name per line'
        )
    is_list = is_class_file(text)
    named = is_list or text.lower().endswith(_FILES)
    classes = Classes.of(text if named else _split(text, option))
    if len(classes) >= least:
        return classes
    if not is_list:
        raise ValueError(
            f'{option} {classes[0]!r} is one class, no file and no packaged list; '
            f'separate several names by commas: {option} '
            f"'{classes[0]}, something else'. "
            f'Packaged are {", ".join(packaged_class_names())}'
        )
    raise ValueError(
        f'{option} {text!r} holds one class, which is always right; give several'
    )


def _split(text: str, option: str) -> Sequence[str]:
    names = _bracketed(text.strip()) or separate_names(text, option)
    if not names:
        raise ValueError(f'{option} is empty; give class names separated by commas')
    return names


def _bracketed(text: str) -> list[str] | None:
    """Return the items of ``["a", 'b', c]``; None for anything else."""
    if not (text.startswith('[') and text.endswith(']')):
        return None
    try:
        items = yaml.load(text, yaml.BaseLoader)  # strings and nothing else
    except (yaml.YAMLError, RecursionError):
        return None
    return items if all(isinstance(item, str) for item in items) else None


def separate_names(text: str, option: str) -> list[str]:
    """Return names that stand between commas; one with a comma, in double quotes.

    Args:
        text: One line.
        option: What errors call it.

    Raises:
        ValueError: A quote is not closed.
    """
    try:
        (row,) = csv.reader([text], skipinitialspace=True) if text else [[]]
    except csv.Error as error:
        raise ValueError(f'{option} cannot be read: {error}') from error
    return [name for name in (item.strip() for item in row) if name]
