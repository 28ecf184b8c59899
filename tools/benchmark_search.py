r"""Say how well a search finds compositions of shapes, or how fast it is.

    python tools/benchmark_search.py --checkpoint CHECKPOINT --texts classes.txt
    python tools/benchmark_search.py --speed                  # of random windows

A clip is drawn of each text, such as 'a red circle moving left', and searched by it:
recall at 1 and 5 in percent and mean rank, by MMAction2's RetrievalMetric, means over
rounds, for the plain search and the one with video-specific prompts.
"""

import argparse
import json
import tempfile
from pathlib import Path

from mmxclip.benchmarks.searches import compare_searches, measure_speed
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.datasets.shape_actions import all_actions
from mmxclip.inference.predict import open_inferencer
from mmxclip.text import load_class_names


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('--config', help="default: the checkpoint's own")
    add('--checkpoint', help='of a model of compositions')
    add('--texts', metavar='FILE', help='compositions, one a line (default: all)')
    add('--rounds', type=int, default=5, help='default: %(default)s')
    add('--speed', action='store_true', help='measure the time of a search')
    add('--approximate', action='store_true', help='of that with faiss instead')
    add('--windows', type=int, default=1_000_000, help='of that (default: 1000000)')
    add('--out', help='folder for that (default: a temporary one)')
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for."""
    args = parse_args()
    with one_line_errors(), tempfile.TemporaryDirectory(dir=args.out) as folder:
        if args.speed:
            index, approximate = Path(folder, 'index'), args.approximate
            rows = [measure_speed(index, args.windows, approximate=approximate)]
        else:
            known = [str(action) for action in all_actions()]
            texts = load_class_names(args.texts) if args.texts else known
            inferencer = open_inferencer(texts, args.config, args.checkpoint, 'cpu')
            rows = compare_searches(inferencer, Path(folder), texts, args.rounds)
        for row in rows:
            print(json.dumps(row))


if __name__ == '__main__':
    main()
