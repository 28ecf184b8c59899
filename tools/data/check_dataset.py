"""Check the data of a config before training with it.

    python tools/data/check_dataset.py CONFIG [--fix] [--no-decode]

Looks at every list of the config: the protocol's number of videos, labels, order of
the classes, duplicates, overlap between training and test, and missing, broken or cut
off videos; each is decoded as the config does and, to compare, from its start to its
end. Ends with code 1 if there is an error. --fix writes, beside each list with errors,
a cleaned one (train.txt -> train.cleaned.txt), unless leaving lines out cures nothing,
as where all labels are shifted: then it says what does.
"""

import argparse
import os
import sys

from mmengine.registry import init_default_scope

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import read_config
from mmxclip.cli.options import Options, make_parser
from mmxclip.datasets.checking.lists_of_config import check_lists


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('config')
    add('--cfg-options', nargs='+', action=Options)
    add('--no-decode', action='store_true', help='do not open the videos')
    add('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    add('--time-limit', type=float, default=60, help='seconds that a video may take')
    add('--fix', action='store_true', help='write cleaned lists')
    overwrite = 'replace cleaned lists of other content'
    add('--overwrite', action='store_true', help=overwrite)
    args = parser.parse_args()
    for name in ('workers', 'time_limit'):
        if getattr(args, name) <= 0:
            parser.error(f'--{name.replace("_", "-")} must be above 0')
    return args


def main() -> int:
    """Check, report, and fix if asked to."""
    args = parse_args()
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope('mmaction')
    lists = check_lists(
        cfg,
        decode=not args.no_decode,
        workers=args.workers,
        time_limit=args.time_limit,
    )
    for checked in lists:
        print(f'\n{checked.describe()}')
        if args.fix:
            print(checked.fix(args.overwrite))
    errors = sum(len(checked.errors) for checked in lists)
    print(f'\n{errors} errors in {len(lists)} lists')
    return 1 if errors else 0


if __name__ == '__main__':
    with one_line_errors():
        sys.exit(main())
