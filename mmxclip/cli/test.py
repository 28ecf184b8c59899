"""Testing as ``tools/test.py`` does it."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmxclip.checkpoints.zoo import check_checkpoint
from mmxclip.cli.launch import build_runner, load_config


def test(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    *,
    dump: str | os.PathLike | None = None,
    show: bool = False,
    show_dir: str | None = None,
    interval: int = 1,
    wait_time: float = 2,
    **launch: Any,
) -> dict[str, float]:
    """Test as the command line asks for.

    Args:
        config: The file.
        checkpoint: Weights.
        dump: Pickle file for the scores of all videos.
        show: Show predictions in a window.
        show_dir: Folder for pictures of predictions.
        interval: Show every so many videos.
        wait_time: Seconds that a window stays.
        **launch: Arguments of :func:`.load_config`.

    Returns:
        What the evaluators report.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: A setting or an option is wrong.
    """
    cfg = load_config(config, **launch)
    cfg.load_from = os.fspath(checkpoint)
    check_checkpoint(cfg.load_from)
    if dump:
        _dump_scores(cfg, Path(dump))
    if show or show_dir:
        if interval < 1:
            raise ValueError(f'--interval must be at least 1, got {interval}.')
        cfg.default_hooks.visualization = dict(
            type='mmxclip.inference.picture_hook.PictureHook',
            out_dir=show_dir,
            interval=interval,
            show=show,
            wait_time=wait_time,
        )
    return build_runner(cfg).test()


def _dump_scores(cfg: Config, path: Path) -> None:
    if path.suffix not in ('.pkl', '.pickle'):
        raise ValueError(f'--dump takes a .pkl or .pickle file, got {str(path)!r}.')
    metrics = cfg.get('test_evaluator')
    if not metrics:
        raise ValueError('--dump needs test_evaluator in the config.')
    path.parent.mkdir(parents=True, exist_ok=True)
    metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
    dumping = dict(type='DumpResults', out_file_path=str(path))
    cfg.test_evaluator = [*metrics, dumping]
