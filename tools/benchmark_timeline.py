r"""Say how right timelines are, and what they cost, on films of drawn shapes.

    python tools/benchmark_timeline.py                   # the demo's model
    python tools/benchmark_timeline.py --cost            # films of a minute, of an hour

The films have known motions of two seconds. Frame accuracy and F1 at IoU 0.5 come for
windows and strides of several lengths; with ``--cost`` times and memory instead, each
film in a process of its own.
"""

import argparse
import json

from mmxclip.benchmarks.timelines import compare_costs, compare_windows
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.inference.named_models import DEMO_NAME
from mmxclip.inference.predict import open_inferencer


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('--config', help="default: the checkpoint's own, or the demo's")
    add('--checkpoint', help="default: the demo's last one")
    add('--films', type=int, default=10, help='default: %(default)s')
    add('--clips', type=int, default=30, help='motions of a film (default: 30)')
    add('--cost', action='store_true', help='measure time and memory')
    add('--size', type=int, nargs=2, default=(320, 240), help='of these films, pixels')
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for."""
    args = parse_args()
    model = args.config or (None if args.checkpoint else DEMO_NAME), args.checkpoint
    with one_line_errors():
        if args.cost:
            rows = compare_costs(*model, tuple(args.size))
        else:
            inferencer = open_inferencer(None, *model, 'cpu')
            rows = compare_windows(inferencer, films=args.films, clips=args.clips)
        for row in rows:
            print(json.dumps(row), flush=True)


if __name__ == '__main__':
    main()
