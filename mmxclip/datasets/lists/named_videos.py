"""Videos whose classes have names: a folder per class, or a table."""

import csv
import io
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mmxclip.datasets.lists.annotation import (
    HEADER,
    Entry,
    read_list,
    read_text,
    write_list,
)
from mmxclip.datasets.lists.splitting import split_entries
from mmxclip.datasets.lists.video_files import find_videos
from mmxclip.text import Classes, tokenize, words
from mmxclip.text.tokenizer import refuse_equal_texts
from mmxclip.utils.files import write_text


@dataclass(frozen=True)
class NamedVideos:
    """Training and validation videos of classes with names.

    Attributes:
        root: The folder that paths start from.
        classes: The classes.
        train: Videos to train on.
        val: Videos to test on.
    """

    root: Path
    classes: Classes
    train: list[Entry]
    val: list[Entry]

    def __str__(self) -> str:
        return (
            f'{len(self.train)} videos to train on and {len(self.val)} to test on, of '
            f'{len(self.classes)} classes: {", ".join(self.classes)}'
        )

    def write(self, folder: Path, overwrite: bool = False) -> None:
        """Write ``train.txt``, ``val.txt`` and ``classes.txt``.

        Where classes are described, also ``classes.json``.

        Raises:
            FileExistsError: One is there with other content and ``overwrite`` is off.
        """
        names = ''.join(f'{name}\n' for name in self.classes)
        write_text(folder / 'classes.txt', names, overwrite)
        if isinstance(described := self.classes.plain(), dict):
            text = json.dumps(described, indent=2, ensure_ascii=False)
            write_text(folder / 'classes.json', f'{text}\n', overwrite)
        write_list(folder / 'train.txt', self.train, overwrite)
        write_list(folder / 'val.txt', self.val, overwrite)


def name_videos(
    source: str | os.PathLike,
    *,
    names: str | os.PathLike | None = None,
    val: float = 0.2,
    seed: int = 0,
    group_by: str | None = None,
) -> NamedVideos:
    """Find the videos of each class and split them into training and validation.

    Args:
        source: A folder with a folder per class, in which videos may lie in further
            folders; or a table ``path,name`` (csv), whose paths start from its folder.
        names: A table ``folder,name`` that gives classes other names; or a JSON file
            that describes them, see :meth:`mmxclip.text.Classes.of`.
        val: Share of each class that validation gets, at least one video.
        seed: Another seed gives another split.
        group_by: Regular expression with one group, searched for in each path. Videos
            for which that group is the same text, such as a person or a film, stay
            together.

    Raises:
        FileNotFoundError: There is no such folder or file.
        ValueError: There are less than two classes, one has less than two videos, two
            have one text, or the videos cannot be split.
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f'there is no folder and no table {str(source)!r}')
    find = find_class_folders if source.is_dir() else read_named_videos
    videos = find(source)
    described = bool(names) and Path(str(names)).suffix.lower() == '.json'
    named = read_names(names, videos) if names and not described else {}
    classes = check_classes(
        [named.get(key, words(key)) for key in videos],
        [len(paths) for paths in videos.values()],
        source,
    )
    if names and described:
        classes = classes.described_by(names)
    entries = [
        Entry(path, label)
        for label, paths in enumerate(videos.values())
        for path in paths
    ]
    root = source if source.is_dir() else source.parent
    train, tested = split_entries(
        entries, classes, share=val, seed=seed, group_by=group_by
    )
    return NamedVideos(root, classes, train, tested)


def read_split(folder: Path, root: Path) -> NamedVideos:
    """Read lists that are split already.

    Args:
        folder: Holds ``train.txt``, ``val.txt`` and ``classes.txt``, or in place of it
            ``classes.json``, see :meth:`NamedVideos.write`.
        root: The folder that their paths start from.

    Raises:
        ValueError: There are less than two classes, two have one text, or one has no
            video to train on.
    """
    classes = Classes.of(class_file(folder))
    train = read_list(folder / 'train.txt')
    counts = [0] * len(classes)
    for entry in train:
        if entry.label >= len(classes):
            raise ValueError(
                f'{folder}/train.txt gives {entry.path} the label {entry.label}, but '
                f'there are {len(classes)} names of classes, from 0'
            )
        counts[entry.label] += 1
    check_classes(classes, counts, folder / 'train.txt', fewest=1)
    return NamedVideos(root, classes, train, read_list(folder / 'val.txt'))


def find_class_folders(root: Path) -> dict[str, list[str]]:
    """Return the videos in each folder of a folder, by the names of the folders.

    Raises:
        ValueError: There is none, or a video lies beside the folders.
    """
    videos = defaultdict(list)
    for path in find_videos(root).paths:
        place = path.relative_to(root)
        if len(place.parts) == 1:
            raise ValueError(
                f'{path} lies in no folder of a class; put each video into a folder '
                'that is called as its class, or give a table path,name (csv)'
            )
        videos[place.parts[0]].append(place.as_posix())
    return dict(sorted(videos.items()))


def read_named_videos(path: Path) -> dict[str, list[str]]:
    """Return the videos of a table ``path,name``, by name."""
    videos = defaultdict(list)
    for video, name in _read_pairs(path, 'path,name'):
        videos[name].append(video)
    return dict(sorted(videos.items()))


def read_names(path: str | os.PathLike, known: Mapping[str, object]) -> dict[str, str]:
    """Read a table ``folder,name``.

    Raises:
        ValueError: It names a folder that is not among the known.
    """
    names = dict(_read_pairs(Path(path), 'folder,name'))
    for folder in names:
        if folder not in known:
            raise ValueError(
                f'{path} names {folder!r}, which is no class here; there are '
                f'{", ".join(known)}'
            )
    return names


def class_file(folder: Path, name: str = 'classes.txt') -> Path:
    """Return a folder's list of names, or the JSON file that describes the classes."""
    described = (folder / name).with_suffix('.json')
    return described if described.is_file() else folder / name


def check_classes(
    classes: Sequence[str], counts: Sequence[int], where: Path, *, fewest: int = 2
) -> Classes:
    """Return classes that can be told apart and have enough videos.

    Args:
        classes: Their names.
        counts: Videos of each.
        where: Where they come from, for messages.
        fewest: Videos that each must have.

    Raises:
        ValueError: They cannot, or have not.
    """
    if len(classes) < 2:
        raise ValueError(
            f'{where} has {len(classes) or "no"} class'
            f'{"".join(f" ({name})" for name in classes)}; two are needed at least, '
            'each a folder of videos or a name in a table'
        )
    for name, count in zip(classes, counts, strict=True):
        if count < fewest:
            raise ValueError(
                f'{where}: the class {name!r} has {count} of the {sum(counts)} videos; '
                f'each needs {fewest} at least'
                + (', one to train on and one to test on' if fewest > 1 else '')
            )
        if name.isdecimal():
            raise ValueError(
                f'{where}: the class {name!r} is a number, which says nothing to a '
                'model that compares videos with words; give names (--names)'
            )
    found = Classes.of(classes)
    refuse_equal_texts(found, tokenize(list(chain(*found.texts))))
    return found


def _read_pairs(path: Path, columns: str) -> list[tuple[str, str]]:
    text = read_text(path)
    delimiter = next((sign for sign in '\t;,' if sign in text.split('\n')[0]), ',')
    pairs = []
    table = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    for row in table:
        if not row or (table.line_num == 1 and _is_head(row, columns)):
            continue
        cells = [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            raise ValueError(
                f'{path}, line {table.line_num}: expected {columns}, got '
                f'{delimiter.join(row)!r}'
            )
        pairs.append((cells[0], cells[1]))
    return pairs


def _is_head(row: Sequence[str], columns: str) -> bool:
    return ','.join(row).replace(' ', '').lower() == columns or bool(
        HEADER.fullmatch(','.join(row))
    )
