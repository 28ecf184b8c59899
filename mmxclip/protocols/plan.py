"""The four protocols as data: what is trained, and what each model is tested on.

Lists are named by their path in the data set's folder of lists
(docs/protocols.md). Nothing here reads a video or builds a model.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mmxclip.text import packaged_class_names

PROTOCOLS = ('few-shot', 'zero-shot', 'base-to-novel', 'fully-supervised')
# Protocols that test a model trained on something larger, not a quick fine-tuning.
TESTS_GIVEN_MODEL = ('zero-shot', 'fully-supervised')
# Protocols that test classes of which a model has seen no video, only the names.
NEEDS_CLASS_NAMES = ('zero-shot', 'base-to-novel')

_THREE = (1, 2, 3)
_SHOTS = (2, 4, 8, 16)
_WITH_FEW_SHOT = ('hmdb51', 'ucf101', 'ssv2')
_WITH_BASE_TO_NOVEL = ('kinetics400', 'hmdb51', 'ucf101', 'ssv2')
_WITH_ZERO_SHOT = ('hmdb51', 'ucf101', 'kinetics600')
_WITH_SPLITS = ('hmdb51', 'ucf101')
PUBLISHED_DATASETS = ('hmdb51', 'kinetics400', 'kinetics600', 'ssv2', 'ucf101')


@dataclass(frozen=True)
class Split:
    """A list of videos.

    Args:
        dataset: Data set that it belongs to.
        ann_file: Its path in the folder of lists.
        classes: What its labels mean: a packaged list of class names, or a file in
            the folder of lists.
    """

    dataset: str
    ann_file: str
    classes: str

    @property
    def stem(self) -> str:
        """Name of the list without folder and ending."""
        return Path(self.ann_file).stem


@dataclass(frozen=True)
class Measurement:
    """A test of a run; numbers of one ``column`` are averaged over ``repeat``."""

    column: str
    repeat: str
    split: Split


@dataclass(frozen=True)
class Run:
    """One model: trained on ``train``, then tested on each of ``tests``."""

    name: str
    train: Split
    tests: tuple[Measurement, ...]


def protocol_runs(
    protocol: str, dataset: str, lists: Path, names: str | None = None
) -> list[Run]:
    """Return what a protocol does with a data set, in order.

    For the data sets of the papers the runs are the published ones. For any other
    they follow from the lists that are there:

    - fully-supervised: ``train.txt``, ``val.txt``, ``classes.txt``;
    - few-shot: ``train_few_shot_{K}.txt``, with ``_s{seed}`` for several seeds, and
      ``val.txt``, ``classes.txt``;
    - zero-shot: every ``unseen*.txt`` with ``unseen*_classes.txt``; ``train.txt`` and
      ``classes.txt`` to train on;
    - base-to-novel: ``base2novel/fs_base_s{seed}_train.txt``, ``base_val.txt``,
      ``novel_val.txt``, ``base_classes.txt`` and ``novel_classes.txt`` there.

    Args:
        protocol: One of :data:`PROTOCOLS`.
        dataset: Name of the data set.
        lists: Its folder of lists, looked into for other data sets only.
        names: Variant of the packaged class names to test with, e.g. ``'words'`` for
            ``ucf101_words``; default: the names as published.

    Raises:
        ValueError: An unknown protocol, one that the data set has not, or an unknown
            variant of its names.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f'protocol {protocol!r} is unknown; choose from {PROTOCOLS}')
    build = {
        'few-shot': _few_shot,
        'zero-shot': _zero_shot,
        'base-to-novel': _base_to_novel,
        'fully-supervised': _fully_supervised,
    }[protocol]
    runs = list(build(dataset, lists))
    if not runs:
        where = (
            'published for it are other protocols'
            if dataset in PUBLISHED_DATASETS
            else f'{lists} lacks the lists for it (docs/protocols.md)'
        )
        raise ValueError(f'no {protocol} protocol for {dataset!r}: {where}')
    return runs if names is None else [_renamed(run, dataset, names) for run in runs]


def _renamed(run: Run, dataset: str, names: str) -> Run:
    """Use a variant of the class names wherever the data set is trained or tested."""

    def rename(split: Split) -> Split:
        if split.dataset != dataset:
            return split
        variant = f'{split.classes}_{names}'
        if variant not in packaged_class_names():
            raise ValueError(
                f'there are no class names {variant!r}; packaged are '
                f'{", ".join(packaged_class_names())}'
            )
        return replace(split, classes=variant)

    tests = tuple(replace(test, split=rename(test.split)) for test in run.tests)
    return replace(run, train=rename(run.train), tests=tests)


def train_split(dataset: str) -> Split:
    """Return the (first) full training list of a data set."""
    name = 'train1.txt' if dataset in _WITH_SPLITS else 'train.txt'
    return Split(dataset, name, _classes(dataset))


def _test_split(dataset: str) -> Split:
    name = 'val1.txt' if dataset in _WITH_SPLITS else 'val.txt'
    return Split(dataset, name, _classes(dataset))


def _classes(dataset: str) -> str:
    return dataset if dataset in PUBLISHED_DATASETS else 'classes.txt'


def _fully_supervised(dataset: str, lists: Path) -> Iterator[Run]:
    test = _test_split(dataset)
    yield Run('full', train_split(dataset), (Measurement('top-1', test.stem, test),))


def _few_shot(dataset: str, lists: Path) -> Iterator[Run]:
    if dataset in PUBLISHED_DATASETS:
        shots = _SHOTS if dataset in _WITH_FEW_SHOT else ()
        found = [(k, f'train1_few_shot_{k}.txt') for k in shots]
    else:
        found = _numbered(lists, r'train_few_shot_(\d+)(?:_s\d+)?\.txt')
    test = _test_split(dataset)
    for number, ann_file in found:
        train = Split(dataset, ann_file, _classes(dataset))
        yield Run(train.stem, train, (Measurement(f'K={number}', train.stem, test),))


def _zero_shot(dataset: str, lists: Path) -> Iterator[Run]:
    if dataset == 'kinetics600':
        stems = [f'zero_shot_split{i}' for i in _THREE]
        splits = [Split(dataset, f'{s}.txt', f'{dataset}_{s}') for s in stems]
    elif dataset in PUBLISHED_DATASETS:
        numbers = _THREE if dataset in _WITH_ZERO_SHOT else ()
        splits = [Split(dataset, f'val{i}.txt', dataset) for i in numbers]
    else:
        # No dot, since check_dataset.py puts unseen.cleaned.txt beside unseen.txt.
        pattern = r'unseen(\d*)(?!.*_classes\.txt)[^/.]*\.txt'
        names = [name for _, name in _numbered(lists, pattern)]
        splits = [Split(dataset, n, f'{n[:-4]}_classes.txt') for n in names]
    source = 'kinetics400' if dataset in PUBLISHED_DATASETS else dataset
    tests = tuple(Measurement('top-1', split.stem, split) for split in splits)
    if tests:
        yield Run('source', train_split(source), tests)


def _base_to_novel(dataset: str, lists: Path) -> Iterator[Run]:
    folder = 'base2novel'
    if dataset in PUBLISHED_DATASETS:
        seeds = _THREE if dataset in _WITH_BASE_TO_NOVEL else ()
        found = [(i, f'{folder}/fs_base_s{i}_train.txt') for i in seeds]
        base, novel = f'{dataset}_base', f'{dataset}_novel'
    else:
        found = _numbered(lists, rf'{folder}/fs_base_s(\d+)_train\.txt')
        base, novel = f'{folder}/base_classes.txt', f'{folder}/novel_classes.txt'
    tests = (
        ('base', Split(dataset, f'{folder}/base_val.txt', base)),
        ('novel', Split(dataset, f'{folder}/novel_val.txt', novel)),
    )
    for seed, ann_file in found:
        yield Run(
            f'seed{seed}',
            Split(dataset, ann_file, base),
            tuple(Measurement(column, f'seed{seed}', split) for column, split in tests),
        )


def _numbered(lists: Path, pattern: str) -> list[tuple[int, str]]:
    """Files whose path below ``lists`` matches, by the number in the first group."""
    found = []
    for path in sorted(lists.rglob('*.txt')):
        name = path.relative_to(lists).as_posix()
        match = re.fullmatch(pattern, name)
        if match:
            found.append((int(match[1] or 0), name))
    return sorted(found)
