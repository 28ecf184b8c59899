r"""Calibrate a checkpoint on dumped scores of validation videos.

    python tools/test.py CONFIG CHECKPOINT --dump scores.pkl \
        --cfg-options model.cls_head.average_clips=None
    python tools/calibrate.py CHECKPOINT calibrated.pth --scores scores.pkl

With scores of videos that show none of the classes, it also sets the threshold of 'none
of these', which tools/predict.py and tools/timeline.py use for the same classes. Dumps
are pickles: open only those that you trust. docs/howto/calibrate.md explains all.
"""

import argparse
import json

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.evaluation.calibrate import calibrate


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('checkpoint', help='the model, which stays as it is')
    add('out', help='file to write')
    add('--scores', required=True, metavar='FILE.pkl', help='dump of validation videos')
    add('--unknown', metavar='FILE.pkl', help='dump of videos of none of the classes')
    add(
        '--rate',
        type=float,
        default=0.05,
        help='share of the unknown videos that may pass (default: %(default)s)',
    )
    add('--classes', help='file or packaged list; default: those of the stored config')
    add('--diagram', metavar='FILE.png', help='draw the reliability diagram there')
    add('--force', action='store_true', help='replace files')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with one_line_errors():
        print(json.dumps(calibrate(**vars(args)), indent=2))
