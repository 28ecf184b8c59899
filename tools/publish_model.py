r"""Write a trained model as a folder to upload to the Hugging Face Hub.

Examples:
    python tools/publish_model.py work_dirs/NAME/epoch_30.pth xclip-of-mine \
        --results work_dirs/NAME/TIMESTAMP/TIMESTAMP.json --license mit
    hf upload OWNER/xclip-of-mine xclip-of-mine
    python tools/predict.py clip.mp4 --checkpoint hf-hub:OWNER/xclip-of-mine
"""

import argparse
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.inference.publish import publish


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('checkpoint', help='what a training wrote, or a converted one')
    add('out', type=Path, help='new folder, named as the model')
    add('--results', help='TIMESTAMP.json in the work folder of a test, for the card')
    add('--license', help='as the Hub abbreviates it, such as mit')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        print(publish(**vars(parse_args())))
