"""Teach a model the classes of your own videos.

    python tools/finetune.py data/mine
    python tools/finetune.py data/mine --group-by '(Subject[0-9]+)' --tune prompt
    python tools/finetune.py videos.csv --config CONFIG.py --checkpoint FILE.pth

takes a folder with a folder per class, a table path,name (csv), or a folder with
train.txt, val.txt and classes.txt (also in its lists/). Makes the lists, checks every
video, chooses a recipe by the number of videos and the memory and says why, writes it
as a config to go on with, trains, tests, calibrates, and writes a table of the classes,
a confusion matrix and a page of the worst mistakes into the work folder.
docs/howto/finetune.md explains all.
"""

import argparse
import os
from pathlib import Path
from typing import get_args

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_listing_arguments, make_parser
from mmxclip.finetune.command import finetune
from mmxclip.finetune.memory import Tune
from mmxclip.finetune.start import DEFAULT_MODEL


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_listing_arguments(parser)
    add = parser.add_argument
    add(
        '--model',
        '--config',
        dest='config',
        default=DEFAULT_MODEL,
        metavar='NAME',
        help='released model (tools/predict.py --list-models) or path of a config that '
        'trains one; default: %(default)s',
    )
    add('--checkpoint', help="weights to start from; default: the model's own")
    add(
        '--tune',
        choices=get_args(Tune),
        help='prompt: MIT and prompt learn, both towers rest; adapters: and LoRAs in '
        'the vision tower; all: all but the text tower; default: all where there is a '
        'GPU or the model is small',
    )
    add('--epochs', type=int, help='default: by the number of videos')
    add('--memory', type=float, help='GB that there are; default: what is found')
    workers = min((os.cpu_count() or 1) // 2, 8)
    add('--workers', type=int, default=workers, help='processes that read videos')
    add(
        '--work-dir', type=Path, help='default: work_dirs/finetune_<name of the folder>'
    )
    add('--shots', type=int, metavar='K', help='train on K videos of each class only')
    choices = 'with --shots: so many choices of them, each a training (%(default)s)'
    add('--seeds', type=int, default=3, help=choices)
    unknown = 'folder of videos of none of the classes: sets a threshold for these'
    add('--unknown', type=Path, metavar='FOLDER', help=unknown)
    add('--no-train', action='store_true', help='make and check lists and config only')
    overwrite = 'replace lists and a config of other content'
    add('--overwrite', action='store_true', help=overwrite)
    args = parser.parse_args()
    for name, lowest in dict(epochs=1, shots=1, seeds=1, workers=0).items():
        value = getattr(args, name)
        if value is not None and value < lowest:
            parser.error(f'--{name} is {value}; it must be at least {lowest}')
    if args.memory is not None and args.memory <= 0:
        parser.error(f'--memory is {args.memory}; it must be above 0')
    return args


if __name__ == '__main__':
    with one_line_errors():
        finetune(parse_args())
