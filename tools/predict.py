r"""Name the action in videos, among labels given as text.

Examples::

    python tools/predict.py clip.mp4 --labels "juggling, a dog runs"
    python tools/predict.py *.mp4 --labels kinetics400 --model xclip-l14-k400-8-frames
    python tools/predict.py *.mp4 --checkpoint WEIGHTS.pth --config CONFIG.py

Without a model, the released X-CLIP that is recommended for any words is fetched once;
where there is no network, the model that ``make demo`` trains is used, which knows its
eight motions and nothing else. With ``--checkpoint`` alone, the config is the one that
is stored in it, else the published one for a model of its sizes.
"""

import argparse
import sys

from mmxclip.cli.options import make_parser
from mmxclip.inference.named_models import RECOMMENDED, describe_models
from mmxclip.inference.predict import ERRORS, predict


class ListModels(argparse.Action):
    """Print the released models and exit, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Do it."""
        print(describe_models())
        parser.exit()


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('videos', nargs='+', metavar='VIDEO', help='video files')
    add(
        '--labels',
        help='class names: "a, b, c", a file of them (one per line, a table, JSON), or '
        'a packaged list such as kinetics400; default: those of the config',
    )
    add(
        '--model',
        '--config',
        dest='config',
        metavar='NAME',
        help='released model (--list-models) or path of a config; default: what fits '
        f'the checkpoint, else {RECOMMENDED}',
    )
    add(
        '--list-models',
        action=ListModels,
        nargs=0,
        dest=argparse.SUPPRESS,
        help='list them, and do no more',
    )
    add('--checkpoint', help="default: the model's own")
    add('--top', type=int, default=5, metavar='K', help='scores to print (default: 5)')
    add(
        '--out',
        metavar='DIR',
        default='work_dirs/predictions',
        help='folder for a picture of each video (default: %(default)s)',
    )
    add(
        '--json',
        action='store_true',
        dest='as_json',
        help='print JSON and nothing else, without pictures',
    )
    add('--device', help='e.g. cpu, cuda:0; default: a GPU if there is one')
    args = parser.parse_args()
    if args.top < 1:
        parser.error(f'--top is {args.top}; it must be at least 1')
    return args


def main() -> None:
    """Predict; the exit status is 1 if a video failed."""
    args = parse_args()
    # For names that are not UTF-8.
    sys.stdout.reconfigure(errors='backslashreplace')  # type: ignore[union-attr]
    try:
        good = predict(**vars(args))
    except ERRORS as error:
        sys.exit(f'error: {error}')
    sys.exit(not good)


if __name__ == '__main__':
    main()
