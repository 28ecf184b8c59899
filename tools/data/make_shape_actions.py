"""Make the shape-actions data set: short videos, no download.

Example::

    python tools/data/make_shape_actions.py --out data/shape_actions

writes::

    data/shape_actions/
        train/00000.mp4 ...  H.264 videos
        val/00000.mp4 ...
        train.txt, val.txt   'path label' per line, paths relative to the folder
        classes.txt          class names, line number = label

With ``--labels composition`` a class is a sentence ('a red circle moving
left'), part of the combinations is held out of train and val, and a third split
holds only these: ``unseen/``, ``unseen.txt`` and ``unseen_classes.txt``, with
labels of its own that count from 0. With ``--labels attributes`` each clip has three
labels, its motion, colour and shape.

The same options and seed give the same files, whatever the number of workers.
"""

import argparse
import os
from dataclasses import fields
from pathlib import Path
from typing import get_args

from mmxclip.cli.failure import one_line_errors
from mmxclip.datasets.shape_actions import FPS, Labels, Plan, make_data_set


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/shape_actions'), help='folder to make')
    add('--train', type=int, default=4000, help='number of training clips')
    add('--val', type=int, default=400, help='clips per validation split')
    add('--labels', choices=get_args(Labels), default='motion')
    add(
        '--held-out',
        type=float,
        default=0.25,
        help='fraction of the combinations kept for the unseen split '
        '(--labels composition only)',
    )
    add('--size', type=int, default=32, help='side of the frame, a multiple of 32')
    add(
        '--frames',
        dest='num_frames',
        type=int,
        default=16,
        help=f'frames per clip, at {FPS} per second',
    )
    add('--seed', type=int, default=0)
    add('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    add('--force', action='store_true', help='replace the folder if it exists')
    args = parser.parse_args()
    if args.workers < 1:
        parser.error('--workers must be at least 1')
    return args


def main() -> None:
    """Make the data set."""
    args = parse_args()
    plan = Plan(**{field.name: getattr(args, field.name) for field in fields(Plan)})
    make_data_set(args.out.absolute(), plan, workers=args.workers, force=args.force)
    print(f'{args.out}: {args.train} training and {args.val} validation clips')


if __name__ == '__main__':
    with one_line_errors():
        main()
