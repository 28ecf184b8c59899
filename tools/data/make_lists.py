"""Make lists of videos from a folder per class, or from a table.

    python tools/data/make_lists.py data/mine
    python tools/data/make_lists.py data/mine --names names.csv --group-by '(Subject[0-9]+)'
    python tools/data/make_lists.py videos.csv --out lists --val 0.3

writes train.txt, val.txt ('path label' a line) and classes.txt into FOLDER/lists. Names
of classes are the words of folders: 'falling_down' and 'FallingDown' have two. A table
is a csv file of lines path,name. The split has the same share of each class and depends
on names and --seed only; --group-by keeps videos of one source, such as a person or a
film, on one side.
"""  # noqa: E501

import argparse
import sys
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_listing_arguments, make_parser
from mmxclip.datasets.lists import name_videos


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_listing_arguments(parser)
    parser.add_argument('--out', type=Path, help='default: lists beside the videos')
    parser.add_argument('--overwrite', action='store_true')
    return parser.parse_args()


def main() -> int:
    """Make the lists."""
    args = parse_args()
    videos = name_videos(
        args.source,
        names=args.names,
        val=args.val,
        seed=args.seed,
        group_by=args.group_by,
    )
    out = args.out or videos.root / 'lists'
    videos.write(out, args.overwrite)
    print(f'{out}: {videos}')
    return 0


if __name__ == '__main__':
    with one_line_errors():
        sys.exit(main())
