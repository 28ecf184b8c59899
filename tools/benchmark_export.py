r"""Hold an exported folder against the installation: disk, time to the first answer.

Example:
    python tools/export_onnx.py WEIGHTS.pth --out exported
    python tools/benchmark_export.py WEIGHTS.pth exported clip.mp4 --labels "a, b"
"""

import argparse
from pathlib import Path

from mmxclip.benchmarks.exported import compare_exported
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('weights', type=Path, help='checkpoint that the folder was exported from')
    add('folder', type=Path, help='what tools/export_onnx.py wrote')
    add('video', type=Path)
    add('--labels', required=True, help='as for tools/predict.py')
    add('--repeats', type=int, default=3, help='runs of each side (%(default)s)')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        print(compare_exported(**vars(parse_args())))
