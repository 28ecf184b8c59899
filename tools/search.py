r"""Search an index of films, which tools/index.py has made, by words or an example.

Examples::

    python tools/search.py index "a person falls" "a dog runs"
    python tools/search.py index --like clip.mp4 --sheet found.png --cut cuts
    python tools/search.py index "a person falls" --below camera3 --between 60 120

docs/howto/search.md explains all.
"""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import (
    MODEL_OPTIONS,
    add_engine_arguments,
    add_model_arguments,
    make_parser,
)
from mmxclip.inference.search import Where
from mmxclip.inference.search_command import search_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('index', metavar='INDEX', help='its folder')
    add('texts', nargs='*', metavar='WORDS', help='what to look for')
    add('--queries', metavar='FILE', help='more of it, one a line')
    add('--like', nargs='+', default=[], metavar='CLIP', help='look for the like of it')
    add('--top', type=int, default=10, help='hits of each (default: %(default)s)')
    add('--best', type=int, default=200, help='windows that make hits (default: 200)')
    add('--approximate', action='store_true', help='look at a part only, with faiss')
    add('--below', default='', metavar='FOLDER', help='films below it; or one film')
    add('--between', type=float, nargs=2, metavar='SECONDS', help='of each film')
    add(
        '--films',
        metavar='FOLDER',
        help='where the films are; default: where they were',
    )
    add('--json', action='store_true', dest='in_json', help='print JSON, nothing else')
    add('--sheet', metavar='FILE', help='contact sheet, a .png file')
    add('--overwrite', action='store_true', help='replace that file')
    add('--cut', metavar='FOLDER', help='write every hit into it, as H.264')
    add_model_arguments(parser)
    add_engine_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Read the command line and do it."""
    args = vars(parse_args())
    model = {name: args.pop(name) for name in MODEL_OPTIONS}
    between = args.pop('between') or ()
    where = Where(args.pop('below'), *between)
    with one_line_errors():
        search_command(
            args.pop('index'), args.pop('texts'), model=model, where=where, **args
        )


if __name__ == '__main__':
    main()
