"""What can be wrong with a list of videos, found before a training wastes days."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mmxclip.datasets.checking.video_checker import Verdict
from mmxclip.datasets.lists.annotation import Entry
from mmxclip.datasets.lists.names import labels_by_key, ucf101_class
from mmxclip.datasets.lists.packaged_lists import COUNTS, published_lists
from mmxclip.text import class_key

_HMDB51 = re.compile(r'(.+)_[fhlu]_[cn]m_np\d+_[a-z]{2}_[a-z]{3}_\d+')


@dataclass(frozen=True)
class Problem:
    """Something wrong with a list.

    Args:
        text: What, in a sentence.
        rows: Places in the list (from 0) of the entries concerned.
        fatal: False for what may be on purpose.
        remedy: What to do, where leaving the rows out is no cure.
        details: What is to be said of each row; all of them are listed then.
    """

    text: str
    rows: tuple[int, ...] = ()
    fatal: bool = True
    remedy: str = ''
    details: tuple[str, ...] = ()

    def describe(self, entries: Sequence[Entry]) -> str:
        """Return the text with some of the entries."""
        lines = [f'{"error" if self.fatal else "note"}: {self.text}']
        shown = len(self.rows) if any(self.details) else 3
        for place, row in enumerate(self.rows[:shown]):
            detail = f' ({self.details[place]})' if any(self.details) else ''
            lines.append(f'  {entries[row].path} {entries[row].label}{detail}')
        if len(self.rows) > shown:
            lines.append(f'  and {len(self.rows) - shown} more')
        if self.remedy:
            lines.append(f'  remedy: {self.remedy}')
        return '\n'.join(lines)


def check_labels(entries: Sequence[Entry], num_classes: int) -> list[Problem]:
    """Labels must count from 0 and lie inside the class list."""
    outside = _rows(not 0 <= entry.label < num_classes for entry in entries)
    labels = {entry.label for entry in entries}
    problems = []
    if outside:
        text = f'{len(outside)} labels are outside 0 to {num_classes - 1}'
        remedy = ''
        if -1 in labels:
            text += '; -1 stands for a line without a label'
        if 0 not in labels and num_classes in labels:
            text += '; they seem to count from 1'
            remedy = 'subtract 1 from every label'
        problems.append(Problem(text, outside, remedy=remedy))
    absent = sorted(set(range(num_classes)) - labels)
    if absent:
        text = f'{len(absent)} of {num_classes} classes have no video'
        text += f' (labels {", ".join(map(str, absent[:8]))})'
        problems.append(Problem(text, fatal=False))
    return problems


def check_duplicates(entries: Sequence[Entry]) -> list[Problem]:
    """No video may be listed twice, still less with two labels."""
    places: dict[str, list[int]] = defaultdict(list)
    for row, entry in enumerate(entries):
        places[_normal(entry.path)].append(row)
    torn, again = [], []
    for rows in places.values():
        if len({entries[row].label for row in rows}) > 1:
            torn += rows
        else:
            again += rows[1:]
    problems = []
    if again:
        problems.append(Problem(f'{len(again)} videos are listed again', tuple(again)))
    if torn:
        text = f'{len(torn)} entries give a video different labels'
        problems.append(Problem(text, tuple(torn)))
    return problems


def check_overlap(train: Sequence[Entry], test: Sequence[Entry]) -> list[Problem]:
    """No test video may be trained on; rows are those of the training list."""
    tested = {_normal(entry.path) for entry in test}
    both = _rows(_normal(entry.path) in tested for entry in train)
    if not both:
        return []
    text = f'{len(both)} training videos are in the test list too'
    # Without them, nothing would be left to train on.
    remedy = 'test with a list of other videos' if len(both) == len(train) else ''
    return [Problem(text, both, remedy=remedy)]


def check_class_order(
    entries: Sequence[Entry], classes: Sequence[str]
) -> list[Problem]:
    """Where a folder or file name tells the class, the label must mean the same.

    Folders are compared as a whole; file names as UCF-101 and HMDB-51 build them.
    Single videos may have a wrong label; where most of a class are named otherwise,
    the order of the classes is wrong.
    """
    labels = labels_by_key(classes)
    named = [_named_class(entry.path, labels) for entry in entries]
    other = _rows(
        told not in (None, entry.label)
        for told, entry in zip(named, entries, strict=True)
    )
    if not other:
        return []
    label, told = entries[other[0]].label, named[other[0]]
    meant = repr(classes[label]) if 0 <= label < len(classes) else 'no class'
    text = (
        f'{len(other)} labels mean another class than the name of the video; the '
        f'label of the first is that of {meant}, its name says '
        f'{classes[told]!r}'  # type: ignore[index]
    )
    remedy = 'put the class list into the order of the labels, or correct the labels'
    misplaced = _is_misplaced(entries, named, len(classes))
    return [Problem(text, other, remedy=remedy if misplaced else '')]


def _is_misplaced(
    entries: Sequence[Entry], named: Sequence[int | None], num_classes: int
) -> bool:
    """Whether most videos of any class are named after another one."""
    agree: dict[int, list[bool]] = defaultdict(list)
    for entry, told in zip(entries, named, strict=True):
        if told is not None and 0 <= entry.label < num_classes:
            agree[entry.label].append(told == entry.label)
    return any(2 * sum(votes) < len(votes) for votes in agree.values())


def check_protocol(entries: Sequence[Entry], ann_file: str) -> list[Problem] | None:
    """A list called as one of a benchmark must hold its videos and labels.

    Lists are known by their path, ``.../<dataset>/lists/<list>``.

    Returns:
        None if the list is not one of a benchmark.
    """
    match = re.search(r'([^/]+)/lists/(.+)$', _normal(ann_file))
    if match is None or match[2] not in COUNTS.get(match[1], {}):
        return None
    dataset, name = match[1], match[2]
    whole = f'{name} of {dataset}'
    problems = []
    if len(entries) != COUNTS[dataset][name]:
        text = f'{len(entries)} videos, but {whole} has {COUNTS[dataset][name]}'
        problems.append(Problem(text))
    published = published_lists(dataset).get(name)
    if published is None:
        return problems
    labels = {_stem(entry.path): entry.label for entry in published}
    foreign = _rows(_stem(entry.path) not in labels for entry in entries)
    if foreign:
        text = f'{len(foreign)} videos do not belong to {whole}'
        problems.append(Problem(text, foreign))
    other = _rows(labels.get(_stem(e.path), e.label) != e.label for e in entries)
    if other:
        text = f'{len(other)} labels differ from those of {whole}'
        remedy = 'make the list anew with tools/data/prepare.py'
        problems.append(Problem(text, other, remedy=remedy))
    return problems


def check_videos(verdicts: Mapping[int, Verdict]) -> list[Problem]:
    """Group what was found on opening the videos, by kind.

    Args:
        verdicts: Place of an entry -> why its video cannot be used.
    """
    kinds: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for row, verdict in sorted(verdicts.items()):
        kinds[verdict.kind, verdict.fatal].append(row)
    return [
        Problem(
            f'{len(rows)} videos: {kind}',
            tuple(rows),
            fatal=fatal,
            details=tuple(verdicts[row].detail for row in rows),
        )
        for (kind, fatal), rows in sorted(kinds.items())
    ]


def _rows(flags: Iterable[bool]) -> tuple[int, ...]:
    return tuple(row for row, flag in enumerate(flags) if flag)


def _named_class(path: str, labels: dict[str, int]) -> int | None:
    place = PurePosixPath(_normal(path))
    for folder in reversed(place.parent.parts):
        if class_key(folder) in labels:
            return labels[class_key(folder)]
    if name := ucf101_class(place.name):
        return labels.get(name)
    if match := _HMDB51.fullmatch(place.stem):
        words = match[1].split('_')
        for start in range(1, len(words)):  # the longest name first: climb_stairs
            if (name := class_key(''.join(words[start:]))) in labels:
                return labels[name]
    return None


def _normal(path: str) -> str:
    return PurePosixPath(path.replace('\\', '/')).as_posix()


def _stem(path: str) -> str:
    return PurePosixPath(_normal(path)).stem
