r"""Index the films below a folder, for searches by words: tools/search.py.

Examples::

    python tools/index.py films --out index
    torchrun --nproc_per_node=4 tools/index.py films --out index --launcher pytorch

The same command again looks only at films that are new or have changed, and goes on
where it was stopped. Models are found as tools/predict.py finds them. All is explained
in docs/howto/search.md.
"""

import argparse

from mmengine.config import Config

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import start_processes
from mmxclip.cli.options import (
    MODEL_OPTIONS,
    add_engine_arguments,
    add_launcher_arguments,
    add_model_arguments,
    make_parser,
)
from mmxclip.inference.search_command import index_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('folder', metavar='FOLDER', help='of films, or an address such as s3://a/b')
    add('--out', required=True, metavar='INDEX', help='folder of the index, likewise')
    add('--window', type=float, default=4, help='seconds (default: %(default)s)')
    add('--stride', type=float, default=1, help='seconds (default: %(default)s)')
    add('--context', action='store_true', help='keep what the prompts need')
    add(
        '--approximate',
        action='store_true',
        help='prepare searches by faiss (mmxclip[faiss])',
    )
    add_model_arguments(parser)
    add_engine_arguments(parser)
    add('--batch-size', type=int, default=8, help='windows at once (default: 8)')
    add_launcher_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Read the command line and do it."""
    args = vars(parse_args())
    launcher, _ = args.pop('launcher'), args.pop('local_rank')
    model = {name: args.pop(name) for name in MODEL_OPTIONS}
    with one_line_errors():
        start_processes(Config(dict(launcher=launcher)))
        index_command(args.pop('folder'), args.pop('out'), model=model, **args)


if __name__ == '__main__':
    main()
