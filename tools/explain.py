r"""Explain a prediction: where each label looks, what each frame adds, and the proof.

Examples::

    python tools/explain.py clip.mp4 --labels "juggling, a dog runs"
    python tools/explain.py clip.mp4 --labels ... --method gradient --out why.png

Models are found as tools/predict.py finds them. docs/howto/explain.md explains all.
"""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_model_arguments, make_parser
from mmxclip.inference.explanation_command import explain_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('clip', metavar='CLIP', help='a video file')
    add('--labels', help='as for tools/predict.py; default: those of the config')
    add(
        '--method',
        choices=['occlusion', 'gradient'],
        default='occlusion',
        help='hide one square after the other (default), or estimate that by gradients',
    )
    add(
        '--patch',
        type=int,
        metavar='PIXELS',
        help='side of the squares (default: an eighth of a frame); larger is faster',
    )
    add(
        '--out',
        nargs='+',
        metavar='FILE',
        help='files ending in .png or .json; default: both, in work_dirs/explanations',
    )
    add('--overwrite', action='store_true', help='replace these files')
    add('--json', action='store_true', dest='in_json', help='print JSON, nothing else')
    add_model_arguments(parser)
    add('--batch-size', type=int, default=8, help='clips at once (default: 8)')
    return parser.parse_args()


def main() -> None:
    """Read the command line and do it."""
    args = vars(parse_args())
    with one_line_errors():
        explain_command(args.pop('clip'), **args)


if __name__ == '__main__':
    main()
