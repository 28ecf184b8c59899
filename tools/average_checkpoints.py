r"""Average checkpoints of one model, or a fine-tuned one with its start (WiSE-FT).

Examples::

    python tools/average_checkpoints.py mean.pth epoch_8.pth epoch_9.pth epoch_10.pth
    python tools/average_checkpoints.py wise.pth TUNED.pth --start CLIP.pt --alpha 0.5
    python tools/average_checkpoints.py wise.pth TUNED.pth --start CLIP.pt \
        --validate BASE.py HELD_OUT.py

docs/howto/averages.md explains all.
"""

import argparse
import json
import sys
from contextlib import redirect_stdout

from mmxclip.cli.average import average
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import Options, make_parser


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('out', help='file to write')
    add('checkpoints', nargs='+', metavar='CHECKPOINT', help='several, or one and ...')
    add('--start', help='... what it was fine-tuned from: a file or the name of a CLIP')
    add('--alpha', type=float, help='weight of the fine-tuned model, from 0 to 1')
    add(
        '--validate',
        nargs='+',
        default=[],
        metavar='CONFIG',
        help='choose alpha by the harmonic mean of the top-1 of their validations; '
        'prints the whole curve',
    )
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    add('--force', action='store_true', help='replace the file')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with one_line_errors():
        with redirect_stdout(sys.stderr):  # validations log; the answer is for stdout
            curve = average(**vars(args))
        for point in curve:
            print(json.dumps(point))
