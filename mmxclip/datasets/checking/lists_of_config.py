"""The lists of a config, and all that is wrong with them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import indent

from mmaction.registry import DATASETS
from mmengine.config import Config

from mmxclip.datasets.checking.problems import (
    Problem,
    check_class_order,
    check_duplicates,
    check_labels,
    check_overlap,
    check_protocol,
    check_videos,
)
from mmxclip.datasets.checking.video_checker import Verdict, VideoChecker
from mmxclip.datasets.lists import Entry, read_list, write_list
from mmxclip.datasets.nesting import innermost_dataset
from mmxclip.text import load_class_names
from mmxclip.utils.processes import Lost, map_isolated, with_progress


@dataclass
class CheckedList:
    """A list of a config, and what is wrong with it."""

    ann_file: str
    prefix: str
    delimiter: str
    pipeline: list[dict]
    used_by: list[str]
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """Problems that are not on purpose."""
        return [problem for problem in self.problems if problem.fatal]

    def read(self) -> None:
        """Read the entries as ``VideoListDataset`` does."""
        try:
            self.entries = read_list(self.ann_file, self.delimiter, unlabelled=True)
        except FileNotFoundError:
            hint = 'tools/data/prepare.py makes the lists of the benchmarks'
            self.problems.append(Problem(f'{self.ann_file} does not exist; {hint}'))
        except (OSError, ValueError) as error:
            self.problems.append(Problem(str(error)))
        else:
            if not self.entries:
                self.problems.append(Problem('the list is empty'))

    def check(self, classes: list[str] | int) -> None:
        """Check what can be seen without opening a video.

        Args:
            classes: Class names, or only their number.
        """
        if not self.entries:
            return
        protocol = check_protocol(self.entries, self.ann_file)
        self.problems += protocol or []
        number = classes if isinstance(classes, int) else len(classes)
        self.problems += check_labels(self.entries, number)
        self.problems += check_duplicates(self.entries)
        if not isinstance(classes, int):
            order = check_class_order(self.entries, classes)
            if protocol == []:  # the published list itself: its labels are as they are
                order = [replace(problem, fatal=False, remedy='') for problem in order]
            self.problems += order

    def open_videos(self, workers: int, time_limit: float) -> None:
        """Check every video, in processes of which some may crash or hang."""
        paths = [os.path.join(self.prefix, entry.path) for entry in self.entries]
        checker = VideoChecker(self.pipeline)
        results = map_isolated(checker, paths, workers=workers, time_limit=time_limit)
        verdicts: dict[int, Verdict] = {}
        for place, verdict in with_progress(results, len(paths)):
            if isinstance(verdict, Lost):
                verdicts[place] = Verdict('the decoder crashed or hung', verdict.reason)
            elif verdict is not None:
                verdicts[place] = verdict
        self.problems += check_videos(verdicts)

    def describe(self) -> str:
        """Return all that is known about the list."""
        lines = [
            f'{self.ann_file} ({", ".join(self.used_by)})',
            f'  {len(self.entries)} videos, {len(self.errors)} errors',
        ]
        lines += [indent(p.describe(self.entries), '    ') for p in self.problems]
        return '\n'.join(lines)

    def fix(self, overwrite: bool) -> str:
        """Write a list without the entries that errors name, if that is a cure.

        Returns:
            What was done, or why nothing was.
        """
        remedies = [problem.remedy for problem in self.errors if problem.remedy]
        refused = f'error: {self.ann_file} is not cleaned, for'
        if remedies:
            return f'{refused} leaving videos out is no cure: {"; ".join(remedies)}'
        bad = {row for problem in self.errors for row in problem.rows}
        if not bad:
            return ''
        kept = [entry for row, entry in enumerate(self.entries) if row not in bad]
        if not kept:  # the data are hardly all bad: rather their place is wrong
            return (
                f'{refused} no video would be left; correct first what is wrong with '
                'all of them, such as data_prefix'
            )
        path = Path(self.ann_file)
        path = path.with_name(f'{path.stem}.cleaned{path.suffix}')
        write_list(path, kept, overwrite, self.delimiter)
        return f'{path}: {len(kept)} of {len(self.entries)} videos'


def check_lists(
    cfg: Config, *, decode: bool, workers: int, time_limit: float
) -> list[CheckedList]:
    """Check every list of a config.

    Args:
        cfg: Config with loaders and a head.
        decode: Whether to open the videos.
        workers: Processes that do so.
        time_limit: Seconds that a video may take.

    Raises:
        ImportError: A decoder of the config is not installed.
        ValueError: The config names no classes, a list gives its videos several
            labels, or a pipeline reads no videos.
    """
    lists = list(_find_lists(cfg))
    classes = _class_names(cfg)
    for checked in lists:
        checked.read()
        checked.check(classes)
    # A list may be both, which is the worst of overlaps.
    tests = [checked for checked in lists if {'val', 'test'} & set(checked.used_by)]
    for train in (checked for checked in lists if 'train' in checked.used_by):
        for test in tests:
            train.problems += check_overlap(train.entries, test.entries)
    if decode:
        for checked in lists:
            checked.open_videos(workers, time_limit)
    return lists


def _find_lists(cfg: Config) -> Iterator[CheckedList]:
    """The different lists of the loaders of a config."""
    found: dict[str, CheckedList] = {}
    for kind in ('train', 'val', 'test'):
        loader = cfg.get(f'{kind}_dataloader')
        dataset = innermost_dataset(loader) if loader else {}
        for part in dataset.get('datasets', [dataset] if dataset else []):
            # Built without reading, so that paths are joined as in training.
            built = DATASETS.build(dict(part, pipeline=[], lazy_init=True))
            if part.get('multi_class'):
                raise ValueError(
                    f'{built.ann_file} has several labels a line (multi_class=True); '
                    'only lists of one label a line can be checked. Leave its loader '
                    f'out: --cfg-options {kind}_dataloader=None'
                )
            checked = CheckedList(
                ann_file=built.ann_file,
                prefix=built.data_prefix.get('video') or '',
                delimiter=part.get('delimiter', ' '),
                pipeline=part.pipeline,
                used_by=[],
            )
            found.setdefault(built.ann_file, checked).used_by.append(kind)
    yield from found.values()


def _class_names(cfg: Config) -> list[str] | int:
    """Return the classes of the head, or only their number."""
    head = (cfg.get('model') or {}).get('cls_head') or {}
    if head.get('classes') is not None:
        return load_class_names(head['classes'])
    if 'num_classes' not in head:
        raise ValueError(
            'the config has neither model.cls_head.classes nor num_classes'
        )
    return head['num_classes']
