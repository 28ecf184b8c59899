"""The four protocols as data: what is trained, and what each model is tested on.

Lists are named by their path in the data set's folder of lists
(docs/howto/protocols.md). Nothing here reads a video or builds a model.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mmxclip.datasets.lists import COUNTS, classes_of
from mmxclip.text import packaged_class_names

PROTOCOLS = ('few-shot', 'zero-shot', 'base-to-novel', 'fully-supervised')
# Protocols that test a model trained on something larger, not a quick fine-tuning.
TESTS_GIVEN_MODEL = ('zero-shot', 'fully-supervised')
# Protocols that test classes of which a model has seen no video, only the names.
NEEDS_CLASS_NAMES = ('zero-shot', 'base-to-novel')

PUBLISHED_DATASETS = tuple(sorted(COUNTS))


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
            else f'{lists} lacks the lists for it (docs/howto/protocols.md)'
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
    return _whole(dataset, 'train')


def _whole(dataset: str, kind: str) -> Split:
    first = f'{kind}1.txt'
    has_splits = first in COUNTS.get(dataset, ())
    return _split(dataset, first if has_splits else f'{kind}.txt')


def _split(dataset: str, ann_file: str, own_classes: str = 'classes.txt') -> Split:
    published = dataset in PUBLISHED_DATASETS
    classes = classes_of(dataset, ann_file) if published else own_classes
    return Split(dataset, ann_file, classes)


def _fully_supervised(dataset: str, lists: Path) -> Iterator[Run]:
    test = _whole(dataset, 'val')
    yield Run('full', train_split(dataset), (Measurement('top-1', test.stem, test),))


def _few_shot(dataset: str, lists: Path) -> Iterator[Run]:
    test = _whole(dataset, 'val')
    pattern = r'train1?_few_shot_(\d+)(?:_s\d+)?\.txt'
    for number, ann_file in _numbered(dataset, lists, pattern):
        train = _split(dataset, ann_file)
        yield Run(train.stem, train, (Measurement(f'K={number}', train.stem, test),))


def _zero_shot(dataset: str, lists: Path) -> Iterator[Run]:
    source, pattern = 'kinetics400', r'(?:val|zero_shot_split)(\d)\.txt'
    if dataset not in PUBLISHED_DATASETS:
        # No dot, since check_dataset.py puts unseen.cleaned.txt beside unseen.txt.
        source, pattern = dataset, r'unseen(\d*)(?!.*_classes\.txt)[^/.]*\.txt'
    names = [name for _, name in _numbered(dataset, lists, pattern)]
    splits = [_split(dataset, name, f'{name[:-4]}_classes.txt') for name in names]
    if splits:
        tests = tuple(Measurement('top-1', split.stem, split) for split in splits)
        yield Run('source', train_split(source), tests)


def _base_to_novel(dataset: str, lists: Path) -> Iterator[Run]:
    def split(name: str) -> Split:
        half = 'novel' if name.startswith('novel') else 'base'
        own_classes = f'base2novel/{half}_classes.txt'
        return _split(dataset, f'base2novel/{name}', own_classes)

    pattern = r'base2novel/fs_base_s(\d+)_train\.txt'
    for number, _ in _numbered(dataset, lists, pattern):
        name = f'seed{number}'
        tests = (
            Measurement('base', name, split('base_val.txt')),
            Measurement('novel', name, split('novel_val.txt')),
        )
        yield Run(name, split(f'fs_base_s{number}_train.txt'), tests)


def _numbered(dataset: str, lists: Path, pattern: str) -> list[tuple[int, str]]:
    """Lists, published or there, that match, by the number in the first group."""
    names = COUNTS.get(dataset) or (
        path.relative_to(lists).as_posix() for path in sorted(lists.rglob('*.txt'))
    )
    matches = (re.fullmatch(pattern, name) for name in names)
    return sorted((int(match[1] or 0), match[0]) for match in matches if match)
