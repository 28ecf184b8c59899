"""Make the lists of a benchmark from its archives or a folder of its videos.

    python tools/data/prepare.py ucf101 --archives UCF101.rar
    python tools/data/prepare.py hmdb51 --archives hmdb51_org.rar \
        --annotations test_train_splits.rar
    python tools/data/prepare.py kinetics400 --videos /disk/k400 \
        --annotations train.csv val.csv
    python tools/data/prepare.py ssv2 --annotations train.json validation.json

Videos are looked up by name below data/<dataset>/videos, whatever folders they lie
in and whether or not they were re-encoded; the lists of docs/protocols.md go to
data/<dataset>/lists.
"""

import argparse
import sys
from pathlib import Path

from mmxclip.datasets.lists import COUNTS, VideoFolder, unpack, write_list
from mmxclip.datasets.lists.official import (
    Lists,
    hmdb51_lists,
    kinetics_lists,
    ssv2_lists,
    ucf101_lists,
)

DATASETS = ('hmdb51', 'kinetics400', 'kinetics600', 'ssv2', 'ucf101')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dataset', choices=DATASETS)
    parser.add_argument(
        '--videos', type=Path, help='folder of the videos (data/<dataset>/videos)'
    )
    parser.add_argument(
        '--lists', type=Path, help='where the lists go (data/<dataset>/lists)'
    )
    parser.add_argument(
        '--archives',
        type=Path,
        nargs='+',
        default=[],
        help='unpack these into the folder of the videos first (.zip, .tar*, .rar)',
    )
    parser.add_argument(
        '--annotations',
        type=Path,
        nargs='+',
        default=[],
        help='hmdb51: folder or archive of the official splits; kinetics: csv files; '
        'ssv2: json files; ucf101: not needed',
    )
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='write lists without the videos that were not found',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace lists of other content'
    )
    args = parser.parse_args()
    args.videos = args.videos or Path('data', args.dataset, 'videos')
    args.lists = args.lists or Path('data', args.dataset, 'lists')
    return args


def make_lists(args: argparse.Namespace, folder: VideoFolder) -> Lists:
    """Return every list of the data set, with paths as published."""
    if args.dataset == 'ucf101':
        return ucf101_lists(folder)
    if args.dataset == 'hmdb51':
        splits = args.annotations[0] if args.annotations else None
        if splits is not None and splits.is_file():
            unpack(splits, args.lists / 'official')
            splits = args.lists / 'official'
        return hmdb51_lists(splits)
    if args.dataset == 'ssv2':
        return ssv2_lists(args.annotations)
    return kinetics_lists(args.dataset, folder, args.annotations)


def main() -> int:
    """Make the lists and report what was found."""
    args = parse_args()
    for archive in args.archives:
        print(f'unpacking {archive} into {args.videos}', flush=True)
        unpack(archive, args.videos)
    folder = VideoFolder(args.videos)
    print(f'{folder.found} in {args.videos}')
    incomplete = 0
    counts = COUNTS.get(args.dataset, {})
    for name, entries in sorted(make_lists(args, folder).items()):
        resolved = folder.resolve(entries)
        # Training lists of UCF-101 are what is found: only their length tells.
        expected = counts.get(name, len(entries))
        complete = len(resolved.entries) == len(entries) == expected
        incomplete += not complete
        line = f'{name:40} {len(resolved.entries):6} of {expected:6} videos'
        if resolved.missing:
            line += f', missing e.g. {resolved.missing[0]}'
        if resolved.ambiguous:
            line += f', found more than once e.g. {resolved.ambiguous[0]}'
        if resolved.entries and (args.allow_missing or complete):
            write_list(args.lists / name, resolved.entries, args.overwrite)
        else:
            line += ' (not written)'
        print(line)
    if incomplete and not args.allow_missing:
        print(
            f'{incomplete} lists lack videos, or have too many, and were not written; '
            'find the videos, or pass --allow-missing and say so beside your numbers'
        )
        return 1
    print(f'lists are in {args.lists}')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
