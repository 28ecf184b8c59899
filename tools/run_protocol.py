"""Run a published protocol and print its table, ours beside the published rows.

    python tools/run_protocol.py zero-shot --dataset hmdb51 --checkpoint k400.pth
    python tools/run_protocol.py few-shot --dataset ucf101 --checkpoint k400.pth
    torchrun --nproc_per_node=8 tools/run_protocol.py base-to-novel --dataset hmdb51 \
        --launcher pytorch
    python tools/run_protocol.py few-shot --dataset mine --data-root data/mine \
        --config my_config.py

Parts that are done are kept: the same command goes on where it stopped. Protocols,
folders and files: docs/protocols.md.
"""

import argparse
import sys
from pathlib import Path

from mmengine.dist import is_main_process

from mmxclip.cli.launch import load_config
from mmxclip.cli.options import add_launch_arguments
from mmxclip.protocols.plan import PROTOCOLS, PUBLISHED_DATASETS
from mmxclip.protocols.runner import PartError, ProtocolRunner

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'xclip'
_B16 = 'xclip_base-p16-res224'
# Config of each protocol; for few-shot the one of K=2, the runner sets the rest.
DEFAULTS = {
    'few-shot': f'few_shot/{_B16}_clip-pre_8xb8-u32-50e_{{}}-2shot-rgb.py',
    'zero-shot': f'zero_shot/{_B16}_clip-pre_8xb8-u32-10e_kinetics400-rgb.py',
    'base-to-novel': f'base_to_novel/{_B16}_clip-pre_8xb8-u32-11e_{{}}-base-rgb.py',
    'fully-supervised': f'fully_supervised/{_B16}_clip-pre_8xb32-u8-30e_{{}}-rgb.py',
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    args = parser.parse_args()
    if args.config is None:
        args.config = CONFIGS / DEFAULTS[args.protocol].format(args.dataset)
        if not args.config.is_file():
            parser.error(
                f'there is no recipe for {args.protocol} on {args.dataset} '
                f'({args.config.name}); give one with --config'
            )
    args.data_root = args.data_root or f'data/{args.dataset}'
    args.work_dir = args.work_dir or f'work_dirs/{args.protocol}_{args.dataset}'
    return args


def main() -> None:
    """Run the protocol and print its table."""
    args = parse_args()
    try:
        runner = ProtocolRunner(
            args.protocol,
            args.dataset,
            load_config(args),
            work_dir=args.work_dir,
            data_root=args.data_root,
            source_root=args.source_root,
            checkpoint=args.checkpoint,
            names=args.names,
        )
    except (OSError, ValueError, SyntaxError) as error:
        sys.exit(f'error: {error}')
    try:
        table = runner.run()
    except PartError as error:
        sys.exit(f'error: {error}')
    if is_main_process():
        print(
            f'\n{table.to_markdown()}\nwritten to {args.work_dir}/table.[md|json|csv]'
        )


if __name__ == '__main__':
    main()
