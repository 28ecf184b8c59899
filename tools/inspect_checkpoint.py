"""Say what a checkpoint is, in words, without converting it.

Examples:
    python tools/inspect_checkpoint.py k400_16_8.pth
    python tools/inspect_checkpoint.py ~/.cache/clip/ViT-B-32.pt
"""

from mmxclip.checkpoints.describe import describe
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser


def main() -> None:
    """Describe FILE."""
    parser = make_parser(__doc__)
    parser.add_argument('file', help='checkpoint file or Hugging Face folder')
    parser.add_argument(
        '--trust',
        action='store_true',
        help='open the file even if that runs code inside it',
    )
    args = parser.parse_args()
    print(describe(args.file, trust=args.trust))


if __name__ == '__main__':
    with one_line_errors():
        main()
