"""Convert weights between X-CLIP's published forms and this project's.

Examples:
    python tools/convert_checkpoint.py k400_16_8.pth xclip.pth
    python tools/convert_checkpoint.py microsoft-xclip/ xclip.pth
    python tools/convert_checkpoint.py ViT-B-16.pt clip.pth --dtype float32
    python tools/convert_checkpoint.py xclip.pth hf_folder --to huggingface
    python tools/convert_checkpoint.py epoch_30.pth xclip.pth --inference
    python tools/convert_checkpoint.py epoch_30.pth lora.pth --adapter-only base.pth
"""

import argparse
from pathlib import Path

from mmxclip.checkpoints.layouts import TARGETS
from mmxclip.checkpoints.save import DTYPES, convert_file
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('src', help='checkpoint file or Hugging Face folder')
    parser.add_argument('dst', type=Path, help='file (or folder) to write')
    parser.add_argument(
        '--to',
        dest='target',
        choices=['mmxclip', *TARGETS],
        default='mmxclip',
        help='layout of DST (default: mmxclip)',
    )
    parser.add_argument(
        '--dtype', choices=DTYPES, help='dtype of the weights (default: as they are)'
    )
    parser.add_argument(
        '--inference',
        action='store_true',
        help='of a training checkpoint, keep only weights, config and class names',
    )
    parser.add_argument(
        '--adapter-only',
        dest='base',
        metavar='BASE',
        help='of a training on top of BASE, keep only what differs from it; the file '
        'needs BASE beside it, or by its name, to be used',
    )
    parser.add_argument(
        '--force',
        action='store_true',
        help='replace DST: a file, or a folder that --to huggingface wrote',
    )
    parser.add_argument(
        '--trust',
        action='store_true',
        help='open SRC even if that runs code inside it: only for files whose author '
        'you trust',
    )
    return parser.parse_args()


def main() -> None:
    """Convert SRC to DST and print what became of every tensor."""
    print(convert_file(**vars(parse_args())))


if __name__ == '__main__':
    with one_line_errors():
        main()
