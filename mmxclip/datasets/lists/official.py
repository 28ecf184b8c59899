"""All lists of a benchmark from a folder of its videos and its annotations."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from mmxclip.datasets.lists.annotation import Entry, read_text
from mmxclip.datasets.lists.folder import VideoFolder
from mmxclip.datasets.lists.names import class_key, labels_by_key, ucf101_class
from mmxclip.datasets.lists.packaged_lists import published_lists
from mmxclip.datasets.lists.unpacking import unpack
from mmxclip.text import load_class_names

Lists = dict[str, list[Entry]]

_KINETICS_COLUMNS = ('label', 'youtube_id', 'time_start', 'time_end', 'split')
_KINETICS_SPLITS = {'validate': 'val', 'validation': 'val'}
_KINETICS_FOLDERS = re.compile(r'(?:videos_)?(train|val|test)/([^/]+)/[^/]+')


def benchmark_lists(
    dataset: str, folder: VideoFolder, annotations: Sequence[Path], scratch: Path
) -> Lists:
    """Make every list of a benchmark, with paths as published.

    Args:
        dataset: Key of :data:`COUNTS`.
        folder: Its videos.
        annotations: Official files: for HMDB-51 a folder or an archive of the splits,
            for Kinetics csv, for SSv2 json files; none for UCF-101.
        scratch: Folder that an archive of annotations is unpacked into.

    Raises:
        FileNotFoundError: A file of annotations is missing.
        ValueError: They are no such files, or a video is not named as it should be.
    """
    if dataset == 'ucf101':
        return ucf101_lists(folder)
    if dataset == 'ssv2':
        return ssv2_lists(annotations)
    if dataset != 'hmdb51':
        return kinetics_lists(dataset, folder, annotations)
    splits = annotations[0] if annotations else None
    if splits is not None and splits.is_file():
        unpack(splits, scratch)
        splits = scratch
    return hmdb51_lists(splits)


def ucf101_lists(folder: VideoFolder) -> Lists:
    """Lists of UCF-101: the published ones and the official training splits.

    A training split is every video that is not in the test split of its number,
    and file names tell the class, so the official split files are not needed.

    Raises:
        ValueError: A file is not named as UCF-101 names its videos.
    """
    labels = labels_by_key(load_class_names('ucf101'))
    lists = dict(published_lists('ucf101'))
    everything = []
    for path in folder.paths:
        label = labels.get(ucf101_class(path))
        if label is None:
            raise ValueError(
                f'{path} is not named like a video of UCF-101 '
                '(v_ApplyEyeMakeup_g01_c01.avi); keep other files elsewhere'
            )
        everything.append(Entry(path, label))
    for i in (1, 2, 3):
        test = {PurePosixPath(entry.path).stem for entry in lists[f'val{i}.txt']}
        lists[f'train{i}.txt'] = [
            entry for entry in everything if PurePosixPath(entry.path).stem not in test
        ]
    return lists


def hmdb51_lists(splits: Path | None = None) -> Lists:
    """Lists of HMDB-51: the published ones and the official training splits.

    Args:
        splits: Folder of the official files ``<class>_test_split<i>.txt`` (lines
            ``name 0|1|2`` for unused, training, test). Without it, the three full
            training lists are left out; the few-shot and test lists need it not.

    Raises:
        FileNotFoundError: A file of a class is missing below ``splits``.
    """
    lists = dict(published_lists('hmdb51'))
    if splits is None:
        return lists
    for i in (1, 2, 3):
        train = lists.setdefault(f'train{i}.txt', [])
        # The numbering of the published lists, which are tested on: as published,
        # the names of two pairs of classes stand in the other order.
        for label, name in enumerate(load_class_names('hmdb51_fixed')):
            wanted = f'{name.replace(" ", "_")}_test_split{i}.txt'
            found = sorted(splits.rglob(wanted))
            if not found:
                raise FileNotFoundError(f'no {wanted} below {splits}')
            rows = [line.split() for line in read_text(found[0]).splitlines()]
            train += [Entry(row[0], label) for row in rows if row[1:2] == ['1']]
    return lists


def kinetics_lists(dataset: str, folder: VideoFolder, tables: Sequence[Path]) -> Lists:
    """Lists of Kinetics: the published ones, and train, val (and test).

    Args:
        dataset: ``kinetics400`` or ``kinetics600``.
        folder: Its videos, ``<id>_<start>_<end>.mp4``.
        tables: The official csv files (label, youtube_id, time_start, time_end,
            split). Without any, the folders ``<split>/<class>/`` tell the labels;
            splits are train, val and test, or videos_train and so on.

    Raises:
        ValueError: A label is unknown, neither tables nor folders tell labels, or a
            file is no such table.
    """
    labels = labels_by_key(load_class_names(dataset))
    lists = dict(published_lists(dataset))
    if not tables:
        return lists | _lists_of_folders(folder, labels)
    for table in tables:
        for where, row in _read_table(table):
            label = labels.get(class_key(row['label']))
            if label is None:
                raise ValueError(
                    f'{where}: {row["label"]!r} is not a class of {dataset}'
                )
            start, end = (_time(where, row[f'time_{x}']) for x in ('start', 'end'))
            split = _KINETICS_SPLITS.get(row['split'], row['split'])
            if not re.fullmatch(r'\w+', split):  # it names a file
                raise ValueError(f'{where}: a split must be a word, got {split!r}')
            path = f'{split}/{row["youtube_id"]}_{start}_{end}.mp4'
            lists.setdefault(f'{split}.txt', []).append(Entry(path, label))
    return lists


def _read_table(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a csv file of Kinetics, and where they stand."""
    lines = io.StringIO(read_text(path), newline='')
    rows = csv.DictReader(lines)
    try:
        header = dict.fromkeys(rows.fieldnames or (), '')
        _require_keys(str(path), header, _KINETICS_COLUMNS)
        for row in rows:
            where = f'{path}, line {rows.line_num}'
            _require_keys(where, row, _KINETICS_COLUMNS)
            yield where, row
    except csv.Error as error:
        raise ValueError(f'{path}, line {rows.line_num + 1}: {error}') from error


def _lists_of_folders(folder: VideoFolder, labels: dict[str, int]) -> Lists:
    lists: Lists = {}
    for path in folder.paths:
        match = _KINETICS_FOLDERS.fullmatch(path)
        label = labels.get(class_key(match[2])) if match else None
        if match is None or label is None:
            raise ValueError(
                f'expected <split>/<class>/<video> in {folder.root}, as in '
                'train/abseiling/x.mp4, with the splits train, val and test (or '
                f'videos_train, ...), found {path}; give the folder in which the '
                'splits lie (--videos), or the official csv files (--annotations)'
            )
        lists.setdefault(f'{match[1]}.txt', []).append(Entry(path, label))
    return lists


def ssv2_lists(tables: Sequence[Path]) -> Lists:
    """Lists of Something-Something v2: the published ones, and train and val.

    Args:
        tables: The official json files; ``train`` or ``validation`` in the name
            tells the split. Each holds rows with ``id`` and ``template``, which is
            the class name with its objects in brackets.

    Raises:
        ValueError: A template is unknown, a file name tells no split, or a file is no
            such table.
    """
    labels = labels_by_key(load_class_names('ssv2'))
    lists = dict(published_lists('ssv2'))
    for table in tables:
        splits = [
            s for w, s in (('train', 'train'), ('valid', 'val')) if w in table.stem
        ]
        if len(splits) != 1:
            raise ValueError(f'{table}: the name must say either train or validation')
        rows = lists.setdefault(f'{splits[0]}.txt', [])
        try:
            entries = json.loads(read_text(table))
        except ValueError as error:
            raise ValueError(f'{table} is not JSON: {error}') from error
        if not isinstance(entries, list):
            raise ValueError(f'{table} is no list of entries, but {entries!r:.40}')
        for number, row in enumerate(entries, 1):
            where = f'{table}, entry {number}'
            if not isinstance(row, dict):
                raise ValueError(f'{where} lacks id and template: {row!r:.40}')
            _require_keys(where, row, ('id', 'template'))
            label = labels.get(class_key(str(row['template'])))
            if label is None:
                raise ValueError(f'{where}: {row["template"]!r} is not a class of SSv2')
            rows.append(Entry(f'{row["id"]}.webm', label))
    return lists


def _require_keys(where: str, row: Mapping, needed: Iterable[str]) -> None:
    found = [str(key) for key, value in row.items() if value is not None]
    missing = [key for key in needed if key not in found]
    if missing:
        raise ValueError(
            f'{where} lacks {", ".join(missing)}, which the official annotation files '
            f'have; found: {", ".join(found) or "nothing"}'
        )


def _time(where: str, seconds: str) -> str:
    try:
        return f'{int(float(seconds)):06d}'
    except (OverflowError, ValueError) as error:  # the first for inf
        raise ValueError(
            f'{where}: a time must be a number of seconds, got {seconds!r}'
        ) from error
