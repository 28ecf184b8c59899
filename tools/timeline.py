r"""Say what is seen when in a film, or in a live stream, among labels given as text.

Examples::

    python tools/timeline.py film.mp4 --labels "juggling, a dog runs" \
        --out film.srt film.png film.json
    torchrun --nproc_per_node=4 tools/timeline.py film.mp4 --launcher pytorch ...
    python tools/timeline.py --live rtsp://camera/stream --labels "falls, walks" ...

Models are found as tools/predict.py finds them. docs/howto/timeline.md explains all.
"""

import argparse

from mmengine.config import Config

from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import start_processes
from mmxclip.cli.options import (
    add_engine_arguments,
    add_launcher_arguments,
    add_model_arguments,
    make_parser,
)
from mmxclip.inference.timeline_command import film_command, live_command


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('film', nargs='?', metavar='FILM', help='a video file')
    source.add_argument(
        '--live',
        metavar='SOURCE',
        help='number of a camera, an address (rtsp://, tcp://, http://) or - for '
        'standard input; prints one line of JSON an event',
    )
    add('--labels', help='as for tools/predict.py; default: those of the config')
    add('--background', metavar='TEXTS', help='texts for what is none of the labels')
    add('--window', type=float, default=4, help='seconds (default: %(default)s)')
    add('--stride', type=float, default=1, help='seconds (default: %(default)s)')
    add('--threshold', type=float, help='score (default: the calibrated one, else 0.5)')
    add('--release', type=float, help='score; default: 0.7 of the threshold')
    add('--least', type=float, default=1, help='seconds of a range (default: 1)')
    add('--overlapping', action='store_true', help='several labels at once')
    add('--shots', action='store_true', help='windows keep to shots (mmxclip[shots])')
    add(
        '--out',
        nargs='+',
        default=[],
        metavar='FILE',
        help='files ending in .json .csv .srt .vtt .png, or .mp4: the film with labels',
    )
    add('--overwrite', action='store_true', help='replace these files')
    add('--json', action='store_true', dest='in_json', help='print JSON, nothing else')
    add_model_arguments(parser)
    add_engine_arguments(parser)
    add('--batch-size', type=int, default=8, help='windows at once (default: 8)')
    add('--patience', type=float, default=60, help='of --live, seconds (default: 60)')
    add_launcher_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Read the command line and do it."""
    args = vars(parse_args())
    launcher, _ = args.pop('launcher'), args.pop('local_rank')
    film, source, patience = (args.pop(name) for name in ('film', 'live', 'patience'))
    with one_line_errors():
        if source is None:
            start_processes(Config(dict(launcher=launcher)))
            film_command(film, **args)
        else:
            for name in ('out', 'overwrite', 'in_json', 'shots', 'batch_size'):
                args.pop(name)
            live_command(source, patience=patience, **args)


if __name__ == '__main__':
    main()
