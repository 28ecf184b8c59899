r"""Say how true explanations are, on drawn shapes whose places are known.

    python tools/benchmark_explain.py                    # the demo's model

Prints, for 200 clips, how often the map's maximum lies on the shape, and whether hiding
squares in the order of the map takes more of the probability than at random.
"""

import argparse
import json

from mmxclip.benchmarks.explanations import draw_clips, measure_truth
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.inference import XCLIPInferencer
from mmxclip.inference.named_models import DEMO_NAME
from mmxclip.utils.processes import with_progress


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('--model', '--config', metavar='NAME', help="default: the demo's")
    add('--checkpoint', help="default: the model's own")
    add('--clips', type=int, default=200, help='default: %(default)s')
    add('--method', default='occlusion', help='as of tools/explain.py')
    add('--patch', type=int, help='as there')
    add('--device', help='e.g. cpu, cuda:0; default: a GPU if there is one')
    return parser.parse_args()


def main() -> None:
    """Measure it."""
    args = parse_args()
    model = args.model or (None if args.checkpoint else DEMO_NAME)
    with one_line_errors():
        inferencer = XCLIPInferencer(
            model, args.checkpoint, device=args.device, input_format='array'
        )
        clips = with_progress(draw_clips(args.clips), args.clips)
        truth = measure_truth(inferencer, clips, method=args.method, patch=args.patch)
        print(json.dumps(truth, indent=2))


if __name__ == '__main__':
    main()
