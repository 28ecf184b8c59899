r"""Name the action in videos, among labels given as text.

Examples::

    python tools/predict.py clip.mp4 --labels "juggling, a dog runs" \
        --checkpoint k400_16_8.pth
    python tools/predict.py *.mp4 --labels kinetics400 --checkpoint WEIGHTS.pth \
        --config configs/xclip/fully_supervised/CONFIG.py

With ``--checkpoint`` alone, the config is the one that is stored in it, else the
published one for a model of its sizes. Without both, the model that ``make demo``
trains is used, which knows its eight motions and nothing else.
"""

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from mmcv import imwrite

from mmxclip.apis.checkpoints import last_checkpoint
from mmxclip.datasets.shape_actions import MOTIONS
from mmxclip.inference import XCLIPInferencer, picture_paths
from mmxclip.text import load_class_names, packaged_class_names

CONFIG = 'xclip_tiny-p8-res32_1xb16-u8-8e_shape-actions-rgb'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('videos', nargs='+', metavar='VIDEO', help='video files')
    add(
        '--labels',
        help='class names: "a, b, c", a file with one name per line (or an "id,name" '
        'csv), or a packaged list such as kinetics400; default: those of the config',
    )
    add('--config', help="default: the checkpoint's own, or one that fits it")
    add('--checkpoint', help="default: the demo's last one")
    add('--top', type=int, default=5, metavar='K', help='scores to print (default: 5)')
    add(
        '--out',
        metavar='DIR',
        default='work_dirs/predictions',
        help='folder for a picture of each video (default: %(default)s)',
    )
    add('--json', action='store_true', help='print JSON and nothing else')
    add('--device', help='e.g. cpu, cuda:0; default: a GPU if there is one')
    args = parser.parse_args()
    if args.top < 1:
        parser.error(f'--top is {args.top}; it must be at least 1')
    return args


def find_model(args: argparse.Namespace) -> tuple[str | None, str]:
    """Return config (None: the one that fits the checkpoint) and checkpoint to use.

    Raises:
        FileNotFoundError: There is no checkpoint of the demo yet.
    """
    if args.checkpoint:
        return args.config, args.checkpoint
    root = Path(__file__).resolve().parents[1]
    config = args.config or str(root / 'configs/xclip/demo' / f'{CONFIG}.py')
    work_dir = Path('work_dirs', Path(config).stem)
    if not args.config and not work_dir.is_dir():
        work_dir = root / work_dir  # started from another folder
    checkpoint = last_checkpoint(work_dir)
    if checkpoint is None:
        hint = 'run "make demo"' if Path(config).stem == CONFIG else 'train it'
        raise FileNotFoundError(
            f'there is no checkpoint in {work_dir.absolute()}: {hint}, or give '
            '--checkpoint'
        )
    return config, checkpoint


def parse_labels(text: str) -> list[str]:
    """Return class names from a comma-separated list, a file or a packaged list.

    Raises:
        FileNotFoundError: It looks like a file and there is none.
        ValueError: There are fewer than two names, or one is repeated; or it is a
            folder.
    """
    listed = [name.strip() for name in text.split(',') if name.strip()]
    if not listed:
        raise ValueError('--labels is empty; give class names separated by commas')
    if ',' in text and not text.endswith(('.txt', '.csv')):
        names = load_class_names(listed)
    else:
        _require_list(text)
        names = load_class_names(text)
    if len(names) == 1:
        raise ValueError(
            f'--labels {text!r} holds one class, which is always right; give several'
        )
    return names


def _require_list(text: str) -> None:
    """Raise a ValueError unless this may be a file or a packaged list."""
    if text in packaged_class_names():
        return
    path = Path(text)
    if path.is_dir():
        raise ValueError(
            f'--labels {text!r} is a folder; give a file with one class name per line'
        )
    if not path.exists() and not path.suffix and path.name == text:
        raise ValueError(
            f'--labels {text!r} is one class, no file and no packaged list; separate '
            f"several names by commas: --labels '{text}, something else'. Packaged "
            f'are {", ".join(packaged_class_names())}'
        )


def warn_of_the_demo(args: argparse.Namespace, labels: list[str] | None) -> None:
    """Say that the demo's model does not know other labels than its own."""
    others = [name for name in labels or [] if name not in MOTIONS]
    if others and not (args.config or args.checkpoint):
        print(
            f"warning: this is the demo's model, which has seen {len(MOTIONS)} motions "
            f'of drawn shapes and nothing else: its scores for {others[0]!r} mean '
            'nothing. For other videos give --checkpoint with a published model '
            '(README.md, docs/weights.md) or your own.',
            file=sys.stderr,
        )


def predict(inferencer: XCLIPInferencer, video: str, picture: Path, top: int) -> dict:
    """Predict one video and save its picture.

    Returns:
        dict: ``video``, ``pred_class``, ``scores`` (the best) and ``picture``; or
        ``video`` and ``error``, so that one bad video does not lose the others.
    """
    try:
        results = inferencer(video, return_vis=True)
        imwrite(results['visualization'][0][..., ::-1], str(picture))
    except (OSError, ValueError) as error:
        return dict(video=video, error=str(error))
    prediction = results['predictions'][0]
    return dict(
        video=video,
        pred_class=prediction['pred_class'],
        scores=dict(list(prediction['scores'].items())[:top]),
        picture=str(picture),
    )


def report(row: dict) -> None:
    """Print the scores of one video as bars."""
    if 'error' in row:
        print(f'\nerror: {row["error"]}', file=sys.stderr)
        return
    print(f'\n{row["video"]}: {row["pred_class"]}')
    width = max(len(name) for name in row['scores'])
    for name, score in row['scores'].items():
        print(f'  {name:<{width}}  {score:6.1%}  {"█" * round(30 * score)}')
    print(f'  picture: {row["picture"]}')


def main() -> None:
    """Predict video by video; the exit status is 1 if one of them failed."""
    args = parse_args()
    rows = []
    try:
        # Whatever the libraries print would spoil the JSON.
        with redirect_stdout(sys.stderr):
            labels = None if args.labels is None else parse_labels(args.labels)
            config, checkpoint = find_model(args)
            warn_of_the_demo(args, labels)
            Path(args.out).mkdir(parents=True, exist_ok=True)
            inferencer = XCLIPInferencer(
                config, checkpoint, classes=labels, device=args.device
            )
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        sys.exit(f'error: {error}')
    inferencer.show_progress = False
    for video, picture in zip(
        args.videos, picture_paths(args.videos, args.out), strict=True
    ):
        with redirect_stdout(sys.stderr):
            rows.append(predict(inferencer, video, picture, args.top))
        if not args.json:
            report(rows[-1])
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    sys.exit(any('error' in row for row in rows))


if __name__ == '__main__':
    main()
