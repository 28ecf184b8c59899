"""Say what a checkpoint is, in words, without converting it.

Examples:
    python tools/inspect_checkpoint.py k400_16_8.pth
    python tools/inspect_checkpoint.py ~/.cache/clip/ViT-B-32.pt
"""

import argparse
import sys

from mmxclip.checkpoints.describe import describe


def main() -> None:
    """Describe FILE."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help='checkpoint file or Hugging Face folder')
    parser.add_argument(
        '--trust',
        action='store_true',
        help='open the file even if that runs code inside it',
    )
    args = parser.parse_args()
    print(describe(args.file, trust=args.trust))


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError, ImportError, MemoryError) as error:
        sys.exit(f'error: {error}')
