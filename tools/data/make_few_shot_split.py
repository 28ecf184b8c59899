"""Make few-shot training lists: K videos per class, the same on every machine.

    python tools/data/make_few_shot_split.py data/mine/lists/train.txt
    python tools/data/make_few_shot_split.py data/mine/lists/train.txt \
        --shots 16 --seeds 1 2 3 --classes classes.txt --subset base_classes.txt \
        --out 'data/mine/lists/base2novel/fs_base_s{seed}_train.txt'

The choice depends on the names of the videos and the seed only. With --subset only
these classes are kept and numbered anew; with --shots 0 all their videos.
"""

import argparse
import sys
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.datasets.lists import few_shot, keep_classes, read_list, write_list
from mmxclip.text import load_class_names


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('list', type=Path, help='full training list ("path label")')
    parser.add_argument(
        '--shots', type=int, nargs='+', default=[2, 4, 8, 16], help='K, 0 for all'
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0])
    parser.add_argument(
        '--out',
        help='names of the new lists, with {shots} and {seed} filled in (default: '
        'LIST_few_shot_{shots}.txt beside the list, with _s{seed} when there are '
        'several seeds)',
    )
    parser.add_argument('--classes', help='class names that the labels count in')
    parser.add_argument('--subset', help='class names to keep, in their new order')
    parser.add_argument(
        '--allow-fewer', action='store_true', help='for classes with less than K videos'
    )
    parser.add_argument('--overwrite', action='store_true')
    args = parser.parse_args()
    if bool(args.classes) != bool(args.subset):
        parser.error('--classes and --subset belong together')
    if args.out is None:
        seed = '_s{seed}' if len(args.seeds) > 1 else ''
        args.out = str(args.list.with_suffix('')) + '_few_shot_{shots}' + seed + '.txt'
    return args


def main() -> int:
    """Make one list per K and seed."""
    args = parse_args()
    try:
        names = [
            args.out.format(shots=shots, seed=seed)
            for shots in args.shots
            for seed in args.seeds
        ]
    except (LookupError, ValueError):
        sys.exit(f'--out {args.out} may hold {{shots}} and {{seed}}, no other braces')
    if len(set(names)) < len(names):
        sys.exit(f'--out {args.out} names one file twice; use {{shots}} and {{seed}}')
    entries = read_list(args.list)
    if not entries:
        sys.exit(f'{args.list} names no video')
    if args.subset:
        classes, subset = load_class_names(args.classes), load_class_names(args.subset)
        entries = keep_classes(entries, classes, subset)
    lists = [  # all of them before the first is written: one may not be possible
        few_shot(entries, shots, seed, args.allow_fewer) if shots else entries
        for shots in args.shots
        for seed in args.seeds
    ]
    for name, chosen in zip(names, lists, strict=True):
        write_list(name, chosen, args.overwrite)
        labels = len({entry.label for entry in chosen})
        print(f'{name}: {len(chosen)} videos of {labels} classes')
    return 0


if __name__ == '__main__':
    with one_line_errors():
        sys.exit(main())
