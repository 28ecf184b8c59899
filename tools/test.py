"""Test a recognizer: ``python tools/test.py CONFIG CHECKPOINT [options]``."""

import argparse
from importlib import import_module
from pathlib import Path

from mmengine.config import Config

from mmxclip.apis.checkpoints import check_checkpoint
from mmxclip.cli.launch import add_common_arguments, build_runner, configure


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Test a recognizer')
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='file of weights')
    parser.add_argument(
        '--dump', metavar='FILE.pkl', help='write the scores of all videos there'
    )
    parser.add_argument('--show-dir', help='folder for pictures of predictions')
    parser.add_argument(
        '--show', action='store_true', help='show predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='show every so many videos'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds that a window stays'
    )
    return parser.parse_args()


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options of testing into the config.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The dump is not a pickle file, or the config has no evaluator.
    """
    check_checkpoint(args.checkpoint)
    cfg.load_from = args.checkpoint
    if args.dump:
        if Path(args.dump).suffix not in ('.pkl', '.pickle'):
            raise ValueError(f'--dump takes a .pkl or .pickle file, got {args.dump!r}.')
        metrics = cfg.get('test_evaluator')
        if not metrics:
            raise ValueError('--dump needs test_evaluator in the config.')
        Path(args.dump).parent.mkdir(parents=True, exist_ok=True)
        metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        cfg.test_evaluator = [
            *metrics,
            dict(type='DumpResults', out_file_path=args.dump),
        ]
    if args.show or args.show_dir:
        if args.interval < 1:
            raise ValueError(f'--interval must be at least 1, got {args.interval}.')
        import_module('mmxclip.inference.picture_hook')  # registers it
        cfg.default_hooks.visualization = dict(
            type='PictureHook',
            out_dir=args.show_dir,
            interval=args.interval,
            show=args.show,
            wait_time=args.wait_time,
        )


def main() -> None:
    """Test."""
    args = parse_args()
    cfg = configure(args, apply_options)
    build_runner(cfg).test()


if __name__ == '__main__':
    main()
