r"""Say how right timelines are, and what they cost, on films of drawn shapes.

    python tools/benchmark_timeline.py                   # the demo's model
    python tools/benchmark_timeline.py --cost            # films of a minute, of an hour

The films have known motions of two seconds. Frame accuracy and F1 at IoU 0.5 come for
windows and strides of several lengths; with ``--cost`` times and memory instead, each
film in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from mmxclip.benchmarks.timelines import make_film, measure_cost, measure_quality
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.inference.named_models import DEMO_NAME
from mmxclip.inference.predict import open_inferencer
from mmxclip.inference.ranges import Rules

WINDOWS = ((1.0, 0.25), (1.5, 0.25), (2.0, 0.25), (2.0, 0.5), (2.0, 1.0))


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
    add('--film', type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for."""
    args = parse_args()
    args.config = args.config or (None if args.checkpoint else DEMO_NAME)
    with one_line_errors():
        if args.cost:
            compare_costs(args)
            return
        inferencer = open_inferencer(None, args.config, args.checkpoint, 'cpu')
        if args.film:
            print(json.dumps(measure_cost(inferencer, args.film, window=4, stride=1)))
            return
        with tempfile.TemporaryDirectory() as folder:
            for window, stride in WINDOWS:
                row = measure_quality(
                    inferencer,
                    Path(folder),
                    films=args.films,
                    clips=args.clips,
                    window=window,
                    stride=stride,
                    rules=Rules(least=0.75),
                )
                print(json.dumps(dict(window=window, stride=stride) | row), flush=True)


def compare_costs(args: argparse.Namespace) -> None:
    """Measure a short and a long film, each in a process of its own."""
    model = []
    for name in ('config', 'checkpoint'):
        if getattr(args, name):
            model += [f'--{name}', getattr(args, name)]
    with tempfile.TemporaryDirectory() as folder:
        for minutes in (1, 60):
            film = Path(folder) / f'{minutes}.mp4'
            make_film(film, 30 * minutes, seed=minutes, size=tuple(args.size), qp=35)
            command = [sys.executable, __file__, '--film', str(film), *model]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            rounded = {name: round(value, 3) for name, value in row.items()}
            print(json.dumps(dict(minutes=minutes) | rounded), flush=True)


if __name__ == '__main__':
    main()
