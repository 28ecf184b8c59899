"""Re-encode a folder of videos so that training reads them several times faster.

    python tools/data/prepare_videos.py data/kinetics400/videos_original \
        data/kinetics400/videos

Short side 256, a key frame every 12 frames, H.264 in .mp4 without sound, all frames
kept. What that gains and costs: docs/explanation/performance.md. Folders stay as they
are. Run it again after an interruption or with new videos: what is done is not done
again. Broken videos are listed and not written; of those that are cut off, which are
listed with both numbers of frames, what can be decoded is written. Either makes the
exit status 1. Then make the lists anew with tools/data/prepare.py, which finds videos
whatever their suffix.
"""

import argparse
import os
import sys
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.datasets.writers.prepared_folder import PreparedFolder
from mmxclip.datasets.writers.reencoding import Settings


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('source', type=Path, help='folder of the videos as they are')
    add('target', type=Path, help='folder of the new videos')
    add('--short-side', type=int, default=256, help='pixels, at most')
    add('--gop', type=int, default=12, help='frames per key frame')
    add('--crf', type=int, default=20, help='less is better, bigger')
    add('--preset', default='veryfast', help='of x264')
    workers = os.cpu_count() or 1
    add('--workers', type=int, default=workers, help='videos at a time')
    add('--psnr', action='store_true', help='measure the loss (takes longer)')
    args = parser.parse_args()
    for name in ('short_side', 'gop', 'workers'):
        if getattr(args, name) < 1:
            parser.error(f'{name} must be at least 1, got {getattr(args, name)}')
    return args


def main() -> int:
    """Encode what is not there yet, and report."""
    args = parse_args()
    settings = Settings(args.short_side, args.gop, args.crf, args.preset)
    folder = PreparedFolder(args.source, args.target, settings)
    todo = folder.missing()
    print(f'{folder.found}, {len(folder.pairs) - len(todo)} of them done before')
    outcomes = folder.encode(todo, workers=args.workers, psnr=args.psnr)
    encoded = sorted(outcomes, key=lambda pair: pair[0])
    print(*folder.report(encoded), sep='\n')
    return int(any(outcome.error or outcome.shortfall for _, outcome in encoded))


if __name__ == '__main__':
    with one_line_errors():
        sys.exit(main())
