"""Train and test a list of methods under one budget and write one table.

    python tools/benchmark_methods.py BENCHMARK
    python tools/benchmark_methods.py BENCHMARK --methods X-CLIP CLIP-Mean --seeds 0
    python tools/benchmark_methods.py BENCHMARK --add my_config.py

BENCHMARK is a config with the budget, the sizes and the list of methods, e.g.
configs/benchmarks/benchmark_shape-actions.py. Each run is a process of its
own and leaves a file; the same command goes on where it stopped. What is measured:
docs/howto/comparisons.md.
"""

import argparse
from pathlib import Path

from mmxclip.benchmarks.comparison import compare
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('benchmark', type=Path, help='config of the comparison')
    add('--methods', nargs='+', metavar='NAME', help='only these rows')
    add('--add', nargs='+', default=[], metavar='CONFIG', help='configs as more rows')
    add('--seeds', nargs='+', type=int, help="default: the benchmark's")
    add('--data-root', help="folder of the data set (default: the benchmark's)")
    add('--work-dir', type=Path, default=Path('work_dirs/benchmark'))
    add('--out', type=Path, help='folder of the table (default: the work folder)')
    add('--report-only', action='store_true', help='run nothing, write the table')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        compare(parse_args())
