"""Which checkpoint a training goes on from."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from mmengine.logging import print_log

from mmxclip.checkpoints.formats import identify_form


def last_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """Return the newest checkpoint of a training that can be read.

    It is the one that the training noted in the file ``last_checkpoint``; where that
    note or the checkpoint is lost or damaged, the newest of the others beside it. What
    is passed over is logged.

    Args:
        work_dir: Work folder of the training. Since it may have moved, what the note
            names is looked for here before it is where the note says.

    Returns:
        A file, a folder (as DeepSpeed writes) or an address, which is not opened; None
        where there is nothing to go on from.
    """
    faults, found = [], None
    for checkpoint in _candidates(Path(work_dir)):
        fault = None if '://' in checkpoint else _fault(Path(checkpoint))
        if fault is None:
            found = checkpoint
            break
        faults.append(f'{checkpoint or "last_checkpoint"} {fault}')
    if len(faults) > 1 or (faults and found):
        then = f'going on from {found}' if found else 'there is none to go on from'
        print_log(f'{"; ".join(faults)}: {then}', 'current', logging.WARNING)
    return found


def _candidates(work_dir: Path) -> Iterator[str]:
    """Give the noted checkpoint ('' without a note), then the others, newest first."""
    note = work_dir / 'last_checkpoint'
    noted = note.read_text(errors='replace').strip() if note.is_file() else ''
    here = work_dir / Path(noted).name
    first = str(here) if noted and here.exists() else noted
    yield first
    folders = {work_dir}
    if noted and '://' not in noted:
        folders.add(Path(first).parent)
    numbered = [
        (int(number[1]), path.stat().st_mtime, str(path))
        for folder in folders
        for path in folder.glob('*.pth')
        if (number := re.search(r'(\d+)\.pth$', path.name)) and str(path) != first
    ]
    yield from (path for *_, path in sorted(numbered, reverse=True))


def _fault(path: Path) -> str | None:
    """Say why a training cannot go on from a file or folder; None where it can."""
    if path == Path():
        return 'is missing or empty'
    if path.is_dir():
        return None
    if not path.exists():
        return 'is lost'
    try:
        identify_form(path)  # and compare its checksums
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
        is_training = isinstance(content, dict) and 'epoch' in content.get('meta', ())
        return None if is_training else 'is not of a training'
    except Exception as error:  # a damaged file may raise anything
        return f'cannot be read ({type(error).__name__}: {error})'
