"""Classes: their names in label order, and the texts that stand for each."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeAlias

from mmxclip.text.label_files import Described, read_label_file
from mmxclip.text.spelling import class_key

Texts: TypeAlias = str | Sequence[str]
ClassSource: TypeAlias = str | os.PathLike | Sequence[str] | Mapping[str, Texts]

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


def is_class_file(text: str) -> bool:
    """Whether a text is the name of a packaged list or a file, or joins such by '+'."""
    return all(
        part in packaged_class_names() or os.path.isfile(part)
        for part in (text, *text.split('+'))[text.count('+') > 0 :]
    )


@dataclass(frozen=True)
class Classes(Sequence[str]):
    """Names of classes in label order, and the texts that a text tower reads for each.

    It is a sequence of the names. Several texts of one class are averaged
    (:class:`mmxclip.models.ClassTexts`).

    Attributes:
        names: K names, all different.
        texts: For each class its texts; the name alone where nothing else is said.

    Examples:
        >>> Classes.of(['run', ' walk ']).names
        ('run', 'walk')
        >>> Classes.of({'run': 'A person runs.', 'walk': ['steps', 'slow']}).texts
        (('A person runs.',), ('steps', 'slow'))
    """

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, source: ClassSource) -> 'Classes':
        """Return classes, whatever they are given as.

        Args:
            source: Names; names with their texts, one or many; the name of a packaged
                list (see :func:`packaged_class_names`), which goes before a file of
                that name; a file, see :func:`read_label_file`; or ``'LIST+FILE'``,
                names of a list with the texts of one or more files, which may call the
                classes by their numbers.

        Raises:
            FileNotFoundError: The path does not exist.
            ValueError: No names, an empty or a repeated one, a text with control
                characters or longer than any that CLIP reads, an unknown packaged name,
                or a file that cannot be read or lacks a class.
            TypeError: ``source`` holds something else than strings, or is none of the
                above, such as a set, which has no order.
        """
        if isinstance(source, Classes):
            return source
        if isinstance(source, (str, os.PathLike)):
            return cls._read(os.fspath(source))
        if isinstance(source, Mapping):
            return cls._make(source.items(), 'the given class names')
        if isinstance(source, bytes) or not isinstance(source, Sequence):
            raise TypeError(
                'class names must be a list of strings, a file or a packaged list, '
                f'got {source!r}'
            )
        return cls._make(zip(source, source, strict=True), 'the given class names')

    @classmethod
    def _read(cls, source: str) -> 'Classes':
        if '+' not in source or os.path.isfile(source):
            found = _read(source)
            if isinstance(found, list):
                found = Described(found, [[name] for name in found])
            if found.names is None:
                raise ValueError(
                    f'{source} describes {len(found.texts)} classes by their numbers; '
                    f"give their names, too: 'LIST+{source}'"
                )
            return cls._make(zip(found.names, found.texts, strict=True), source)
        first, *files = source.split('+')
        classes = cls._read(first)
        columns = [classes.described_by(file).texts for file in files]
        texts = tuple(tuple(chain(*texts)) for texts in zip(*columns, strict=True))
        return cls(classes.names, texts)

    def described_by(self, file: str | os.PathLike) -> 'Classes':
        """Return these classes with the texts of a file, see :meth:`of`."""
        file = os.fspath(file)
        texts = self._texts_of(_read(file), file)
        return self._make(zip(self, texts, strict=True), file)

    def _texts_of(self, found: list[str] | Described, file: str) -> list[list[str]]:
        """Return a file's texts of these classes, by their names or their numbers."""
        if isinstance(found, list):
            found = Described(None, [[text] for text in found])
        if found.names is None:
            if len(found.texts) == len(self):
                return found.texts
            raise ValueError(
                f'{file} describes {len(found.texts)} classes by their numbers, but '
                f'there are {len(self)}'
            )
        for spelling in (str.strip, class_key):
            texts = dict(zip(map(spelling, found.names), found.texts, strict=True))
            keys = [spelling(name) for name in self]
            one_each = len(texts) == len(found.names) and len(set(keys)) == len(keys)
            if one_each and texts.keys() >= set(keys):
                return [texts[key] for key in keys]
        missing = [name for name in self if class_key(name) not in texts]
        raise ValueError(f'{file} does not describe {_shorten(missing or self)}')

    @classmethod
    def _make(cls, pairs: Iterable[tuple[Any, Any]], where: str) -> 'Classes':
        pairs = list(pairs)
        names = _checked([name for name, _ in pairs], where)
        texts = [text for _, text in pairs]
        return cls(
            tuple(names), tuple(map(_checked_texts, texts, names, repeat(where)))
        )

    def __getitem__(self, index: Any) -> Any:
        """Return the name of a class, or of several (a slice)."""
        return self.names[index]

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    def __add__(self, others: 'Classes') -> 'Classes':
        """Return these classes and others behind them, all of other names."""
        names = _checked([*self.names, *others.names], 'the given class names')
        return Classes(tuple(names), self.texts + others.texts)

    def plain(self) -> list[str] | dict[str, list[str]]:
        """Return what :meth:`of` makes the same classes of, for JSON or a config."""
        pairs = list(zip(self.names, self.texts, strict=True))
        if all(texts == (_one_line(name),) for name, texts in pairs):
            return list(self.names)
        return {name: list(texts) for name, texts in pairs}


def load_class_names(source: ClassSource) -> list[str]:
    """Return the names of classes alone; arguments and errors as :meth:`Classes.of`.

    Examples:
        >>> load_class_names('ucf101')[0], load_class_names('ucf101_words')[0]
        ('ApplyEyeMakeup', 'Apply Eye Makeup')
    """
    return list(Classes.of(source))


def _read(source: str) -> list[str] | Described:
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


def _checked(names: list[Any], where: str) -> list[str]:
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
        _check_signs(name.strip(), f'{where}: the name of class {i}')
    names = [name.strip() for name in names]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f'{where}: {_shorten(repeated)} named more than once; classes with '
            'one text cannot be told apart, rename or merge them'
        )
    return names


def _checked_texts(texts: Any, name: str, where: str) -> tuple[str, ...]:
    """Return texts of a class in one line each."""
    texts = [texts] if isinstance(texts, str) else texts
    known = isinstance(texts, Sequence) and not isinstance(texts, bytes)
    if not known or not all(isinstance(text, str) for text in texts):
        raise TypeError(
            f'{where}: the class {name!r} must have a text or a list of texts, got '
            f'{texts!r}'
        )
    lines = tuple(map(_one_line, texts))
    if not lines or not all(lines):
        raise ValueError(f'{where}: the class {name!r} has an empty text, or none')
    for line in lines:
        _check_signs(line, f'{where}: a text of the class {name!r}')
    return lines


def _check_signs(text: str, what: str) -> None:
    if len(text) > _LONGEST:
        raise ValueError(
            f'{what} has {len(text)} characters, more than {_LONGEST}; it begins '
            f'{text[:40]!r}'
        )
    for sign in text:
        if unicodedata.category(sign) in _NO_TEXT:
            raise ValueError(
                f'{what}, {text!a}, holds {sign!a}, which is no character of a text; '
                'remove it'
            )


def _one_line(text: str) -> str:
    return ' '.join(text.split())


def _shorten(items: Sequence[object], limit: int = 8) -> str:
    shown = ', '.join(repr(item) for item in items[:limit])
    return shown if len(items) <= limit else f'{shown}, ... ({len(items)} in all)'
