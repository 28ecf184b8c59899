r"""Export a model to ONNX, with a program that runs it without PyTorch.

Examples::

    python tools/export_onnx.py xclip-b16-zero-shot --out exported
    python tools/export_onnx.py WEIGHTS.pth --config CONFIG.py --out exported
    python exported/predict.py clip.mp4 --labels "juggling, a dog runs"

The folder needs numpy, onnxruntime and av, and nothing else; see docs/export.md.
"""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.inference.export_command import export_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('model', metavar='MODEL', help='name of a released model, or a checkpoint')
    add('--config', help='config of the checkpoint; default: the one that fits it')
    add('--out', required=True, metavar='DIR', help='new folder')
    add('--labels', help='as for tools/predict.py; default: those of the config')
    add(
        '--dtype',
        choices=['fp32', 'int8'],
        default='fp32',
        help='int8: faster on CPUs, nearly the same scores (default: %(default)s)',
    )
    add(
        '--freeze-classes',
        action='store_true',
        help='leave the text tower out: scores for these labels only',
    )
    return parser.parse_args()


def main() -> None:
    """Export."""
    with one_line_errors():
        export_command(**vars(parse_args()))


if __name__ == '__main__':
    main()
