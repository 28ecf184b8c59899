"""Training and validation lists from one list of videos."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from mmxclip.datasets.lists.annotation import Entry


def split_entries(
    entries: Sequence[Entry],
    classes: Sequence[str],
    *,
    share: float = 0.2,
    seed: int = 0,
    group_by: str | None = None,
) -> tuple[list[Entry], list[Entry]]:
    """Split videos into training and validation, each class in the same proportion.

    Videos of one group stay together, whatever their classes. Groups are taken in the
    order of the SHA-256 of ``seed:group``, so the split depends on nothing but names
    and seed, and each goes to validation if that brings the classes nearer to their
    share.

    Args:
        entries: The videos.
        classes: Names of their classes, for messages.
        share: Of each class that validation gets, at least one video.
        seed: Another seed gives another split.
        group_by: Regular expression with one group, searched for in each path; default:
            each video is a group of its own.

    Returns:
        Training and validation videos, in the order given.

    Raises:
        ValueError: The share is not between 0 and 1, the expression is wrong or does
            not match a path, or no such split leaves each class a video on both sides.
    """
    if not 0 < share < 1:
        raise ValueError(f'the share of validation must be between 0 and 1: {share}')
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry, key in zip(entries, _keys(entries, group_by), strict=True):
        groups[key].append(entry)
    totals = Counter(entry.label for entry in entries)
    wanted = {
        label: min(max(round(share * total), 1), total - 1)
        for label, total in totals.items()
    }
    labels = {key: Counter(e.label for e in group) for key, group in groups.items()}
    order = sorted(groups, key=lambda key: _rank(key, seed))
    chosen = _choose(order, labels, totals, wanted)
    tested = {entry for key in chosen for entry in groups[key]}
    train = [entry for entry in entries if entry not in tested]
    val = [entry for entry in entries if entry in tested]
    for side, videos in (('train on', train), ('test on', val)):
        missing = sorted(totals.keys() - {entry.label for entry in videos})
        if missing:
            raise ValueError(
                f'the class {classes[missing[0]]!r} would have no video to {side}: '
                f'its {totals[missing[0]]} videos cannot be parted without parting a '
                'group; give another --group-by, or videos from other sources'
            )
    return train, val


def _keys(entries: Sequence[Entry], group_by: str | None) -> Iterable[str]:
    if group_by is None:
        return [entry.path for entry in entries]
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise ValueError(f'--group-by {group_by!r}: {error}') from error
    if pattern.groups != 1:
        raise ValueError(
            f'--group-by {group_by!r} must have one group in brackets, such as '
            f"'(Subject[0-9]+)', but has {pattern.groups}"
        )
    found = [pattern.search(entry.path) for entry in entries]
    for entry, match in zip(entries, found, strict=True):
        if match is None or match[1] is None:
            raise ValueError(f'--group-by {group_by!r} finds nothing in {entry.path}')
    return [match[1] for match in found if match]


def _choose(
    order: Sequence[str],
    labels: dict[str, Counter],
    totals: Counter,
    wanted: dict[int, int],
) -> set[str]:
    """Return the groups of validation."""
    chosen: set[str] = set()
    taken = Counter[int]()

    def fits(key: str) -> bool:  # each of its classes keeps a video to train on
        return all(taken[c] + n < totals[c] for c, n in labels[key].items())

    def gain(key: str) -> float:
        return sum(
            (taken[c] / wanted[c] - 1) ** 2 - ((taken[c] + n) / wanted[c] - 1) ** 2
            for c, n in labels[key].items()
        )

    for key in order:
        if gain(key) > 0 and fits(key):
            chosen.add(key)
            taken += labels[key]
    for label in sorted(wanted):  # all groups of a class may be larger than its share
        if not taken[label]:
            able = [k for k in order if labels[k][label] and fits(k)]
            for key in sorted(able, key=lambda key: labels[key].total())[:1]:
                chosen.add(key)
                taken += labels[key]
    return chosen


def _rank(key: str, seed: int) -> str:
    return hashlib.sha256(f'{seed}:{key}'.encode()).hexdigest()
