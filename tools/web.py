r"""Serve a page in the browser: recognise, timelines, search, explain.

Examples::

    python tools/web.py --films films
    python tools/web.py --model xclip-b16-zero-shot --host 0.0.0.0 --auth users.txt

Only this machine reaches it, unless --host or --share says otherwise. Models are found
as tools/predict.py finds them. docs/howto/web.md explains all.
"""

import argparse

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.options import make_parser
from mmxclip.web.limits import Limits


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add(
        '--model',
        '--config',
        nargs='+',
        default=[None],
        dest='models',
        metavar='NAME',
        help='as for tools/predict.py; of several, users choose one to recognise with',
    )
    add('--checkpoint', help="default: the model's own")
    add('--device', help='e.g. cpu, cuda:0; default: a GPU if there is one')
    add('--films', metavar='FOLDER', help='films that users may search')
    add('--index', default='work_dirs/web_index', help='of them (default: %(default)s)')
    add('--host', default='127.0.0.1', help='0.0.0.0: other machines reach it, too')
    add('--port', type=int, help='default: the first free one from 7860')
    add('--share', action='store_true', help="a public address, over Gradio's servers")
    add('--auth', metavar='FILE', help='with a user:password in each line')
    limits = parser.add_argument_group('limits of a request')
    add = limits.add_argument
    add('--megabytes', type=float, default=200, help='of a video (%(default)s)')
    add('--seconds', type=float, default=600, help='of a video (%(default)s)')
    add('--words', type=int, default=100, help='texts (%(default)s)')
    add('--characters', type=int, default=200, help='of a text (%(default)s)')
    add('--waiting', type=int, default=20, help='requests in the queue (%(default)s)')
    return parser.parse_args()


def main() -> None:
    """Read the command line and do it."""
    args = vars(parse_args())
    with one_line_errors():
        from mmxclip.web.serve import serve  # noqa: PLC0415 (--help needs no Gradio)

        limits = Limits(**{name: args.pop(name) for name in vars(Limits())})
        serve(args.pop('models'), limits=limits, **args)


if __name__ == '__main__':
    main()
