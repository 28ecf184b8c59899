"""Make the lists of a benchmark from its archives or a folder of its videos.

    python tools/data/prepare.py ucf101 --archives UCF101.rar
    python tools/data/prepare.py hmdb51 --archives hmdb51_org.rar \
        --annotations test_train_splits.rar
    python tools/data/prepare.py kinetics400 --videos /disk/k400 \
        --annotations train.csv val.csv
    python tools/data/prepare.py ssv2 --annotations train.json validation.json

Videos are looked up by name below data/<dataset>/videos, whatever folders they lie
in and whether or not they were re-encoded; the lists of docs/howto/protocols.md go to
data/<dataset>/lists.
"""

import argparse
import sys
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.datasets.lists import COUNTS, VideoFolder, unpack
from mmxclip.datasets.lists.folder import write_found
from mmxclip.datasets.lists.official import benchmark_lists


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('dataset', choices=sorted(COUNTS))
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


def main() -> int:
    """Make the lists and report what was found."""
    args = parse_args()
    for archive in args.archives:
        print(f'unpacking {archive} into {args.videos}', flush=True)
        unpack(archive, args.videos)
    folder = VideoFolder(args.videos)
    print(f'{folder.found} in {args.videos}')
    found = write_found(
        benchmark_lists(
            args.dataset, folder, args.annotations, args.lists / 'official'
        ),
        folder,
        args.lists,
        counts=COUNTS.get(args.dataset, {}),
        allow_missing=args.allow_missing,
        overwrite=args.overwrite,
    )
    incomplete = 0
    for line, complete in found:
        print(line)
        incomplete += not complete
    if incomplete and not args.allow_missing:
        print(
            f'{incomplete} lists lack videos, or have too many, and were not written; '
            'find the videos, or pass --allow-missing and say so beside your numbers'
        )
        return 1
    print(f'lists are in {args.lists}')
    return 0


if __name__ == '__main__':
    with one_line_errors():
        sys.exit(main())
