"""Test a recognizer: ``python tools/test.py CONFIG CHECKPOINT [options]``."""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_common_arguments
from mmxclip.cli.test import test


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Test a recognizer')
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='file of weights')
    parser.add_argument(
        '--dump', metavar='FILE.pkl', help='write the scores of all videos there'
    )
    parser.add_argument('--show-dir', help='folder for pictures of predictions')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='show every so many videos'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds that a window stays'
    )
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        test(**vars(parse_args()))
