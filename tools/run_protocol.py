"""Run a published protocol and print its table, ours beside the published rows.

    python tools/run_protocol.py zero-shot --dataset hmdb51 --checkpoint k400.pth
    python tools/run_protocol.py few-shot --dataset ucf101 --checkpoint k400.pth
    torchrun --nproc_per_node=8 tools/run_protocol.py base-to-novel --dataset hmdb51 \
        --launcher pytorch
    python tools/run_protocol.py few-shot --dataset mine --data-root data/mine \
        --config my_config.py

Parts that are done are kept: the same command goes on where it stopped. Protocols,
folders and files: docs/howto/protocols.md.
"""

import argparse
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import add_launch_arguments, make_parser
from mmxclip.protocols.command import run_protocol
from mmxclip.protocols.plan import PROTOCOLS, PUBLISHED_DATASETS


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('protocol', choices=PROTOCOLS)
    add('--dataset', required=True, help=f'{", ".join(PUBLISHED_DATASETS)} or yours')
    add('--config', type=Path, help='default: the recipe of the paper (configs/xclip)')
    add(
        '--checkpoint',
        help='zero-shot and fully-supervised: the weights to test, nothing is trained; '
        'few-shot and base-to-novel: the weights that each training starts from; a '
        'file, a Hugging Face folder or an address',
    )
    add('--data-root', help='folder of the data set (data/<dataset>)')
    add(
        '--source-root',
        default='data/kinetics400',
        help='folder of the data set that zero-shot models are trained on',
    )
    add(
        '--names',
        help='variant of the class names: words for ucf101, fixed for hmdb51 '
        '(default: as published)',
    )
    add('--work-dir', help='default: work_dirs/<protocol>_<dataset>')
    add_launch_arguments(parser)
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        run_protocol(**vars(parse_args()))
