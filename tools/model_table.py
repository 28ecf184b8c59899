"""Write the tables of released models in the documents from the model zoo.

The zoo is configs/xclip/metafile.yml, which mim reads too. A table stands between
    <!-- model-zoo:begin DATA SET -->
    <!-- model-zoo:end -->
where DATA SET may be left out for all models.

Examples:
    python tools/model_table.py README.md docs/reference/model_zoo.md
    python tools/model_table.py README.md docs/reference/model_zoo.md --check
"""

import argparse
from pathlib import Path

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.model_table import update_documents
from mmxclip.cli.options import make_parser


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('documents', nargs='+', type=Path)
    parser.add_argument('--check', action='store_true', help='change nothing')
    return parser.parse_args()


if __name__ == '__main__':
    with one_line_errors():
        update_documents(**vars(parse_args()))
