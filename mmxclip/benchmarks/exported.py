"""An exported folder against the installation that made it: disk and first answer."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from packaging.requirements import Requirement

from mmxclip.utils.configs import configs_root
from mmxclip.utils.tables import to_markdown

FULL = 'mmxclip[lite]'
ALONE = 'numpy', 'onnxruntime', 'av'


def compare_exported(
    weights: Path, folder: Path, video: Path, labels: str, *, repeats: int = 3
) -> str:
    """Run both on one video in turns, each time as a new process.

    Args:
        weights: Checkpoint that ``folder`` was exported from.
        folder: See :func:`mmxclip.export.export_onnx`.
        video: What is recognised.
        labels: As for ``tools/predict.py``.
        repeats: Runs of each; the table has the medians.

    Returns:
        str: A table in Markdown.

    Raises:
        RuntimeError: One of them failed.
    """
    tool = configs_root() / 'tools' / 'predict.py'
    ends = str(video), '--labels', labels, '--json'
    full = (str(tool), *ends, '--checkpoint', str(weights))
    alone = (str(folder / 'predict.py'), *ends)
    runs = [(_answer(full), _answer(alone)) for _ in range(repeats)]
    wall, processor = (
        [float(np.median([run[side][n] for run in runs])) for side in (0, 1)]
        for n in (1, 2)
    )
    packages = [size_of(FULL), size_of(*ALONE)]
    files = [_size([weights]), _size(folder.rglob('*'))]
    (ours, *_), (theirs, *_) = runs[0]
    difference = max(abs(ours[name] - theirs[name]) for name in ours)
    rows = [
        ('packages', packages, '{:.0f} MB'),
        ('weights, or the folder', files, '{:.0f} MB'),
        ('first answer', wall, '{:.1f} s'),
        ('first answer, processor time', processor, '{:.1f} s'),
    ]
    table = to_markdown(
        [('', 'full', 'exported', 'share')]
        + [
            (name, form.format(a), form.format(b), f'{b / a:.0%}')
            for name, (a, b), form in rows
        ]
    )
    return f'{table}\ngreatest difference of a score: {difference:.1e}'


def _answer(command: Sequence[str]) -> tuple[dict[str, float], float, float]:
    """Return scores, seconds, and seconds of processors."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise RuntimeError(f'{command[0]} failed: {done.stderr.strip()}')
    found: Any = json.loads(done.stdout)
    (found,) = found if isinstance(found, list) else [found]
    processor = (
        after.children_user
        + after.children_system
        - before.children_user
        - before.children_system
    )
    return found['scores'], seconds, processor


def size_of(*names: str) -> float:
    """Return the 10^6 bytes of installed packages with all that they require."""
    todo, seen = [Requirement(name) for name in names], set()
    while todo:
        one = todo.pop()
        if (one.name.lower(), *one.extras) in seen:
            continue
        seen.add((one.name.lower(), *one.extras))
        todo += _required(one)
    files = {
        Path(str(file.locate())).resolve()
        for name in {name for name, *_ in seen}
        for file in metadata.files(name) or ()
    }
    return _size(files)


def _required(one: Requirement) -> Iterator[Requirement]:
    for line in metadata.requires(one.name) or ():
        needed = Requirement(line)
        extras = one.extras or {''}
        marker = needed.marker
        if not marker or any(marker.evaluate(dict(extra=extra)) for extra in extras):
            yield needed


def _size(paths: Any) -> float:
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
