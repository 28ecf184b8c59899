r"""Compare wordings of the same classes on one model: which class gains, which loses.

    python tools/compare_wordings.py val.txt --labels ucf101 --split-words \
        --templates action16 "a video of a person {}" --texts descriptions.json

The first column has the accuracies with the labels as they are, the others what each
wording changes. Files of --texts hold descriptions, or other names, of the classes:
docs/howto/words.md. Videos are encoded once, whatever the number of wordings.
"""

import argparse
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import MODEL_OPTIONS, add_model_arguments, make_parser
from mmxclip.inference.wordings_command import wordings_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('videos', metavar='LIST', help='list of videos, a line "path label" each')
    add('--folder', help='what its paths start from (default: the folder of the list)')
    add('--labels', help='as for tools/predict.py; default: those of the config')
    add('--split-words', action='store_true', help="'ApplyEyeMakeup' as three words")
    add(
        '--templates',
        nargs='+',
        default=[],
        metavar='T',
        help='sets, or "a video of {}"',
    )
    add('--texts', nargs='+', default=[], metavar='FILE', help='descriptions, or names')
    add('--out', type=Path, metavar='FILE.json', help='write all numbers there')
    add('--overwrite', action='store_true', help='replace that file')
    add('--workers', type=int, default=0, help='processes that read videos')
    add_model_arguments(parser)
    return parser.parse_args()


if __name__ == '__main__':
    given = vars(parse_args())
    model = {name: given.pop(name) for name in MODEL_OPTIONS if name in given}
    with one_line_errors():
        wordings_command(given.pop('videos'), model=model, **given)
