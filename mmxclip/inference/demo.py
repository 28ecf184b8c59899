"""The model that ``make demo`` trains."""

from pathlib import Path

from mmxclip.engine.last_checkpoint import last_checkpoint

DEMO = 'xclip_tiny-p8-res32_1xb16-u8-6e_shape-actions-rgb'


def find_demo(root: Path) -> tuple[str, str]:
    """Return config and last checkpoint of the demo.

    Args:
        root: The clone whose demo it is, started from there or from elsewhere, or
            another folder with ``configs``.

    Raises:
        FileNotFoundError: It has not been trained.
    """
    config = root / 'configs/xclip/demo' / f'{DEMO}.py'
    work_dir = Path('work_dirs', DEMO)
    return str(config), find_trained(work_dir if work_dir.is_dir() else root / work_dir)


def find_trained(work_dir: Path) -> str:
    """Return the last checkpoint of a work folder.

    Raises:
        FileNotFoundError: There is none.
    """
    checkpoint = last_checkpoint(work_dir)
    if checkpoint is None:
        hint = 'run "make demo"' if work_dir.name == DEMO else 'train it'
        raise FileNotFoundError(
            f'there is no checkpoint in {work_dir.absolute()}: {hint}, or give '
            '--checkpoint'
        )
    return checkpoint
