"""Time the data path, step by step, against MMAction2's own transforms.

    python tools/benchmark_data.py --json out.json

Reads clips of 10 s, generated, at 340x256 and at
1280x720 with far key frames, as they are and re-encoded by
tools/data/prepare_videos.py. On one thread, in processor time: each draw of the
random transforms is run in turns by all pipelines, the least of the rounds counts,
and the table has the mean over the draws, per clip. ``stock`` are MMAction2's own
transforms on the same frames (its ColorJitter; it has nothing for the grey videos and
leaves them out), ``ours`` what the configs run, and the row between them the same with
another decoder. Packing ends with one contiguous array, as a batch needs it.
"""

import argparse
from pathlib import Path

from mmxclip.benchmarks.pipelines import PipelineBenchmark
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser

ROOT = Path(__file__).resolve().parent.parent


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    pipelines = ROOT / 'configs/_base_/pipelines/u8-res224.py'
    parser.add_argument('--config', default=pipelines, help='has the pipelines')
    parser.add_argument('--videos', type=Path, nargs='+', help='instead of generated')
    parser.add_argument(
        '--decoder', default='SafeDecordInit', help='what ours is compared with'
    )
    parser.add_argument('--seconds', type=float, default=10, help='of generated clips')
    parser.add_argument('--draws', type=int, default=10, help='in training')
    parser.add_argument('--rounds', type=int, default=3, help='runs of a draw')
    parser.add_argument('--json', type=Path, help='file for the numbers')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        settings = vars(parse_args())
        out = settings.pop('json')
        PipelineBenchmark(**settings).run(out)
