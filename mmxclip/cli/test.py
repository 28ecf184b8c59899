"""Testing as ``tools/test.py`` does it."""

import argparse
from pathlib import Path

from mmengine.config import Config

from mmxclip.checkpoints.zoo import check_checkpoint
from mmxclip.cli.launch import build_runner, load_config


def test(args: argparse.Namespace) -> dict[str, float]:
    """Test as the command line asks for.

    Args:
        args: Options of ``tools/test.py``.

    Returns:
        dict: What the evaluators report.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: A setting or an option is wrong.
    """
    cfg = load_config(args)
    apply_options(cfg, args)
    return build_runner(cfg).test()


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
        cfg.default_hooks.visualization = dict(
            type='mmxclip.inference.picture_hook.PictureHook',
            out_dir=args.show_dir,
            interval=args.interval,
            show=args.show,
            wait_time=args.wait_time,
        )
