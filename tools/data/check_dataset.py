"""Check the data of a config before training with it.

    python tools/data/check_dataset.py CONFIG [--fix] [--no-decode]

Looks at every list of the config: the protocol's number of videos, labels, order of
the classes, duplicates, overlap between training and test, missing and undecodable
videos. Ends with code 1 if there is an error. --fix writes, beside each list with
errors, a cleaned one (train.txt -> train.cleaned.txt), unless leaving lines out cures
nothing, as where all labels are shifted: then it says what does.
"""

import argparse
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import indent

from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import track_progress_rich

from mmxclip.cli.launch import Options, read_config
from mmxclip.datasets.lists import Entry, read_list, write_list
from mmxclip.datasets.lists.decoding import VideoChecker
from mmxclip.datasets.lists.problems import (
    Problem,
    check_class_order,
    check_duplicates,
    check_labels,
    check_overlap,
    check_protocol,
    check_videos,
)
from mmxclip.protocols.steps import innermost_dataset
from mmxclip.text import load_class_names


@dataclass
class ListReport:
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


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--cfg-options', nargs='+', action=Options)
    parser.add_argument(
        '--no-decode', action='store_true', help='do not open the videos'
    )
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count() or 1, help='processes'
    )
    parser.add_argument('--fix', action='store_true', help='write cleaned lists')
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace cleaned lists of other content',
    )
    args = parser.parse_args()
    if args.workers < 1:
        parser.error(f'--workers is {args.workers}; it must be at least 1')
    return args


def find_lists(cfg: Config) -> list[ListReport]:
    """Return the different lists of the loaders of a config.

    Raises:
        ValueError: A list gives its videos several labels.
    """
    found: dict[str, ListReport] = {}
    for kind in ('train', 'val', 'test'):
        loader = cfg.get(f'{kind}_dataloader')
        if not loader:
            continue
        dataset = innermost_dataset(loader)
        for part in dataset.get('datasets', [dataset]):
            # Built without reading, so that paths are joined as in training.
            built = DATASETS.build(dict(part, pipeline=[], lazy_init=True))
            if part.get('multi_class'):
                raise ValueError(
                    f'{built.ann_file} has several labels a line (multi_class=True); '
                    'only lists of one label a line can be checked. Leave its loader '
                    f'out: --cfg-options {kind}_dataloader=None'
                )
            report = ListReport(
                ann_file=built.ann_file,
                prefix=built.data_prefix.get('video') or '',
                delimiter=part.get('delimiter', ' '),
                pipeline=part.pipeline,
                used_by=[],
            )
            found.setdefault(built.ann_file, report).used_by.append(kind)
    return list(found.values())


def class_names(cfg: Config) -> list[str] | int:
    """Return the classes of the head, or only their number.

    Raises:
        ValueError: The config says neither.
    """
    head = (cfg.get('model') or {}).get('cls_head') or {}
    if head.get('classes') is not None:
        return load_class_names(head['classes'])
    if 'num_classes' not in head:
        raise ValueError(
            'the config has neither model.cls_head.classes nor num_classes'
        )
    return head['num_classes']


def check_list(report: ListReport, classes: list[str] | int) -> None:
    """Check what can be seen without opening a video."""
    try:  # as VideoListDataset reads it
        report.entries = read_list(report.ann_file, report.delimiter, unlabelled=True)
    except FileNotFoundError:
        hint = 'tools/data/prepare.py makes the lists of the benchmarks'
        report.problems.append(Problem(f'{report.ann_file} does not exist; {hint}'))
        return
    except ValueError as error:
        report.problems.append(Problem(str(error)))
        return
    if not report.entries:
        report.problems.append(Problem('the list is empty'))
        return
    number = classes if isinstance(classes, int) else len(classes)
    protocol = check_protocol(report.entries, report.ann_file)
    report.problems += protocol or []
    report.problems += check_labels(report.entries, number)
    report.problems += check_duplicates(report.entries)
    if not isinstance(classes, int):
        order = check_class_order(report.entries, classes)
        if protocol == []:  # the published list itself: its labels are as they are
            order = [replace(problem, fatal=False, remedy='') for problem in order]
        report.problems += order


def open_videos(report: ListReport, workers: int) -> None:
    """Check every video of a list, in parallel."""
    paths = [os.path.join(report.prefix, entry.path) for entry in report.entries]
    verdicts = track_progress_rich(
        VideoChecker(report.pipeline),
        [(path,) for path in paths],
        nproc=min(workers, len(paths)),
        chunksize=8,
        description=Path(report.ann_file).name,
    )
    report.problems += check_videos(verdicts)


def fix(report: ListReport, overwrite: bool) -> None:
    """Write a list without the entries that errors name, if that is a cure."""
    remedies = [problem.remedy for problem in report.errors if problem.remedy]
    if remedies:
        print(
            f'error: {report.ann_file} is not cleaned, for leaving videos out is no '
            f'cure: {"; ".join(remedies)}'
        )
        return
    bad = {row for problem in report.errors for row in problem.rows}
    if not bad:
        return
    kept = [entry for row, entry in enumerate(report.entries) if row not in bad]
    if not kept:  # the data are hardly all bad: rather their place is wrong
        print(
            f'error: {report.ann_file} is not cleaned, for no video would be left; '
            'correct first what is wrong with all of them, such as data_prefix'
        )
        return
    path = Path(report.ann_file)
    path = path.with_name(f'{path.stem}.cleaned{path.suffix}')
    write_list(path, kept, overwrite, report.delimiter)
    print(f'{path}: {len(kept)} of {len(report.entries)} videos')


def main() -> int:
    """Check, report, and fix if asked to."""
    args = parse_args()
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope('mmaction')
    reports = find_lists(cfg)
    classes = class_names(cfg)
    for report in reports:
        check_list(report, classes)
    # A list may be both, which is the worst of overlaps.
    tests = [report for report in reports if {'val', 'test'} & set(report.used_by)]
    for train in (report for report in reports if 'train' in report.used_by):
        for test in tests:
            train.problems += check_overlap(train.entries, test.entries)
    for report in reports:
        if report.entries and not args.no_decode:
            open_videos(report, args.workers)
    for report in reports:
        print(f'\n{report.ann_file} ({", ".join(report.used_by)})')
        print(f'  {len(report.entries)} videos, {len(report.errors)} errors')
        for problem in report.problems:
            print(indent(problem.describe(report.entries), '    '))
        if args.fix:
            fix(report, args.overwrite)
    errors = sum(len(report.errors) for report in reports)
    print(f'\n{errors} errors in {len(reports)} lists')
    return 1 if errors else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (ImportError, OSError, ValueError, SyntaxError) as error:
        sys.exit(f'error: {error}')
