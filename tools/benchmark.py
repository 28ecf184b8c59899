"""Time a config's model, alone or against other implementations of X-CLIP.

    python tools/benchmark.py CONFIG --compare huggingface --batch-size 2 \
        --num-classes 400 --dtype float32 --json out.json

Weights are random unless --checkpoint is given; both sides have the same, and their
logits must agree before anything is timed. Both run in turns. The ratio is that of
the medians; the spread is the quartiles of the ratios of neighbouring runs. One GFLOP
is 10^9 multiply-adds. The peak is that of a large matrix product between the runs.

With --memory, what a run adds at its peak to the memory in use is measured instead of
time: on a GPU what torch allocates, else the resident set (on Linux).
"""

import argparse
from pathlib import Path

import torch

from mmxclip.benchmarks.cases import CASES
from mmxclip.benchmarks.contestants import DTYPES
from mmxclip.benchmarks.models import ENGINES, ModelBenchmark
from mmxclip.benchmarks.references import REFERENCES
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import Options, make_parser


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('config', help='config file')
    cases = '\n'.join(f'{name}: {text};' for name, text in CASES.items())
    add('--cases', nargs='+', choices=CASES, help=f'what to time (all): {cases}')
    add('--compare', choices=REFERENCES, help='implementation to compare with')
    add('--batch-size', type=int, default=2, help='videos of a run (%(default)s)')
    add('--num-classes', type=int, help="number of classes (the config's)")
    add('--frames', type=int, help="frames of a video (the config's)")
    add('--dtype', choices=DTYPES, default='float32', help='precision (%(default)s)')
    add('--engine', choices=ENGINES, default='torch', help='for our towers, on CPUs')
    add('--compile', action='store_true', help='compile our model')
    add('--repeats', type=int, default=10, help='runs of each side (%(default)s)')
    add('--memory', action='store_true', help='measure memory instead of time')
    add('--agree-on', type=int, default=1, help='videos to compare logits on')
    add('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    add(
        '--clock',
        choices=['wall', 'cpu'],
        default='wall',
        help='cpu: time of this process only, for busy machines; use one thread',
    )
    add('--video', type=Path, help='file for data and end-to-end (10 s, 340 x 256)')
    add('--checkpoint', help='weights (random)')
    add('--json', type=Path, metavar='FILE', help='write all numbers there')
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        settings = vars(parse_args())
        out = settings.pop('json')
        ModelBenchmark(**settings).run(out)
