"""Smaller lists from larger ones: K videos per class, a subset of the classes."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from mmxclip.datasets.lists.annotation import Entry


def few_shot(
    entries: Sequence[Entry], shots: int, seed: int = 0, allow_fewer: bool = False
) -> list[Entry]:
    """Choose K videos of each class.

    Videos of a class are ranked by the SHA-256 of ``seed:name``, where the name is
    the file name without folder and extension, and the first K are taken. So the
    choice depends on nothing but names and seed: not on the order of the list, the
    folders, the container format, the platform or a library's random generator.
    Splits of one seed are nested: the videos of K=2 are among those of K=4.

    Args:
        entries: The full training list.
        shots: K, videos per class.
        seed: Another seed gives another choice.
        allow_fewer: Take all videos of a class that has less than K.

    Returns:
        Entries by label, then rank.

    Raises:
        ValueError: ``shots`` below 1, a video listed twice, or a class with less
            than K videos.
    """
    if shots < 1:
        raise ValueError(f'shots must be at least 1, got {shots}')
    by_label: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_label[entry.label].append(entry)
    twice = [path for path, n in Counter(e.path for e in entries).items() if n > 1]
    if twice:
        raise ValueError(f'{twice[0]} is listed twice; remove one of them')
    small = {label: len(e) for label, e in by_label.items() if len(e) < shots}
    if small and not allow_fewer:
        label, count = min(small.items())
        raise ValueError(
            f'{len(small)} classes have less than {shots} videos (label {label} has '
            f'{count}); choose fewer shots, or allow fewer videos for these '
            '(--allow-fewer)'
        )
    return [
        entry
        for label in sorted(by_label)
        for entry in sorted(by_label[label], key=lambda e: _rank(e.path, seed))[:shots]
    ]


def keep_classes(
    entries: Sequence[Entry], classes: Sequence[str], subset: Sequence[str]
) -> list[Entry]:
    """Keep the videos of some classes and number these anew.

    Args:
        entries: List whose labels count in ``classes``.
        classes: All class names in label order.
        subset: Names to keep, in their new label order.

    Raises:
        ValueError: A name of the subset is unknown, or a label is outside
            ``classes``.
    """
    unknown = [name for name in subset if name not in classes]
    if unknown:
        raise ValueError(
            f'{unknown[:5]} of the subset are not among the {len(classes)} classes'
        )
    outside = [entry for entry in entries if not 0 <= entry.label < len(classes)]
    if outside:
        raise ValueError(
            f'label {outside[0].label} of {outside[0].path} is outside the '
            f'{len(classes)} classes; labels count from 0'
        )
    new = {name: label for label, name in enumerate(subset)}
    return [
        Entry(entry.path, new[classes[entry.label]])
        for entry in entries
        if classes[entry.label] in new
    ]


def _rank(path: str, seed: int) -> tuple[str, str]:
    name = PurePosixPath(path.replace('\\', '/'))
    digest = hashlib.sha256(f'{seed}:{name.stem}'.encode()).hexdigest()
    return digest, str(name)  # videos of one name in two folders: by folder
