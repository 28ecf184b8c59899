"""Train a recognizer: ``python tools/train.py CONFIG [options]``."""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_common_arguments
from mmxclip.cli.train import train


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a recognizer')
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from CHECKPOINT, or from the last one in the work folder',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: float16 with loss scaling on GPUs, bfloat16 on CPUs',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the real batch size',
    )
    parser.add_argument('--seed', type=int, help='random seed')
    parser.add_argument(
        '--diff-rank-seed',
        action='store_true',
        help='another seed for each process, as our configs have',
    )
    parser.add_argument(
        '--deterministic', action='store_true', help='deterministic cuDNN kernels'
    )
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        train(**vars(parse_args()))
