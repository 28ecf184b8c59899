r"""Name the action in videos, among labels given as text.

Examples::

    python tools/predict.py clip.mp4 --labels "juggling, a dog runs"
    python tools/predict.py films/ 'more/*.avi' videos.tar --labels kinetics400 \
        --model xclip-l14-k400-8-frames --json answers.jsonl
    python tools/predict.py *.mp4 --checkpoint WEIGHTS.pth --config CONFIG.py

Without a model, the released X-CLIP that is recommended for any words is fetched once;
where there is no network, the model that ``make demo`` trains is used, which knows its
eight motions and nothing else. With ``--checkpoint`` alone, the config is the one that
is stored in it, else the published one for a model of its sizes.
"""

import argparse
import sys

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import (
    MODEL_OPTIONS,
    add_engine_arguments,
    add_model_arguments,
    make_parser,
)
from mmxclip.inference.named_models import describe_models
from mmxclip.inference.predict_command import PICTURES, STDOUT, predict


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
    add(
        'videos',
        nargs='+',
        metavar='VIDEO',
        help='files, folders of videos or of frames, patterns in quotes, archives '
        '(videos.tar, videos.tar/a.mp4), addresses (http://...)',
    )
    add(
        '--labels',
        help='class names: "a, b, c", a file of them (one per line, a table, JSON), or '
        'a packaged list such as kinetics400; default: those of the config',
    )
    add_model_arguments(parser)
    add_engine_arguments(parser)
    add(
        '--list-models',
        action=ListModels,
        nargs=0,
        dest=argparse.SUPPRESS,
        help='list them, and do no more',
    )
    add('--top', type=int, default=5, metavar='K', help='scores to print (default: 5)')
    add(
        '--out',
        metavar='DIR',
        help='folder for a picture of each video (default: none, but for a single '
        f'video {PICTURES})',
    )
    add(
        '--json',
        nargs='?',
        const=STDOUT,
        metavar='FILE',
        help='write answers into a file, one JSON object a line, as they come; without '
        'FILE print them as a list, and nothing else',
    )
    add('--csv', metavar='FILE', help='write answers as a table, as they come')
    add('--resume', action='store_true', help='go on with the answers in these files')
    add('--overwrite', action='store_true', help='replace these files')
    add(
        '--batch-size',
        type=int,
        metavar='N',
        help='videos that go through the model at once (default: 8 or fewer)',
    )
    add(
        '--workers',
        type=int,
        metavar='N',
        help='processes that decode (default: cores)',
    )
    add(
        '--time-limit',
        type=float,
        default=600,
        metavar='S',
        help='seconds that a video may take to decode (default: %(default)s)',
    )
    args = parser.parse_args()
    if args.top < 1:
        parser.error(f'--top is {args.top}; it must be at least 1')
    return args


def main() -> None:
    """Predict; the exit status is 1 if a video failed."""
    args = vars(parse_args())
    model = {name: args.pop(name) for name in MODEL_OPTIONS}
    with one_line_errors():
        good = predict(model=model, **args)
    sys.exit(not good)


if __name__ == '__main__':
    main()
