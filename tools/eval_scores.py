"""Evaluate dumped scores again, without the model.

    python tools/test.py CONFIG CHECKPOINT --dump scores.pkl
    python tools/eval_scores.py scores.pkl --classes hmdb51 --report report/

Scores are also kept by tools/run_protocol.py. Several files of one list, e.g. of
two models, are averaged; a video that was undecodable for one of them is so for all.
Files are pickles: open only those that you trust.
"""

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.evaluation.dumped_scores import evaluate_scores


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('scores', type=Path, nargs='+', help='dumped .pkl files')
    parser.add_argument('--classes', help='class names: packaged list or file')
    parser.add_argument(
        '--report', type=Path, help='folder for per_class.csv and confusion_matrix.png'
    )
    parser.add_argument('--topk', type=int, nargs='+', default=[1, 5])
    args = parser.parse_args()
    if args.classes and not args.report:
        parser.error('--classes names the rows of --report, which is not given')
    if min(args.topk) < 1:
        parser.error(f'--topk is {min(args.topk)}; it must be at least 1')
    return args


if __name__ == '__main__':
    args = parse_args()
    with one_line_errors():
        with redirect_stdout(sys.stderr):  # metrics log; the answer is for stdout
            scores = evaluate_scores(**vars(args))
        print(json.dumps(scores, indent=2))
