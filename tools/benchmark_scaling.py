"""Plot what a model costs against the number of frames, and of videos or views.

    python tools/benchmark_scaling.py CONFIG --out cost.svg

Views of a video are a batch to the model, so that one curve serves both. Dashed: the
cost of the smallest size times its multiple, that is, exact proportion.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.cases import count_gflops
from mmxclip.benchmarks.contestants import DTYPES, Ours
from mmxclip.benchmarks.preparation import (
    build_model,
    change_size,
    load_with,
    random_batch,
    write_clip,
)
from mmxclip.benchmarks.timing import Stopwatch, describe_machine
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import read_config
from mmxclip.cli.options import make_parser
from mmxclip.utils.files import write_text

AXES = {'frames': 'frames of a video', 'batch': 'videos, or views of a video'}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('config', help='config file of an X-CLIP')
    add('--frames', type=int, nargs='+', default=[4, 8, 16, 32])
    add('--batch', type=int, nargs='+', default=[1, 2, 4, 8])
    add('--dtype', choices=DTYPES, default='float32')
    add('--repeats', type=int, default=3, help='runs of each size (%(default)s)')
    add('--clock', choices=['wall', 'cpu'], default='wall')
    add('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    add('--out', type=Path, required=True, help='picture (.svg, .png); numbers: .json')
    return parser.parse_args()


def measure_size(
    args: argparse.Namespace, video: Path, frames: int, batch: int
) -> dict[str, Any]:
    """Return seconds and GFLOPs (10^9 multiply-adds) of one run of the model."""
    cfg = read_config(args.config)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    change_size(cfg, frames=frames)
    stopwatch = Stopwatch(torch.device(args.device), args.clock)
    model = build_model(cfg, stopwatch.device)
    like = load_with(cfg.val_dataloader.dataset.pipeline, video)()['inputs']
    inputs = random_batch(model, like, batch, model.cls_head.num_classes)
    gflops = count_gflops(Ours(model, inputs, 'float32'))['model'] * batch
    run = Ours(model, inputs, args.dtype).cases()['model']
    seconds = float(np.median(stopwatch.alternate([run], repeats=args.repeats)))
    return dict(frames=frames, batch=batch, seconds=seconds, gflops=gflops)


def plot(report: dict[str, Any], path: Path) -> None:
    """Draw seconds and GFLOPs against each axis."""
    figure = Figure(figsize=(9, 3.6), layout='constrained')
    panels = figure.subplots(1, 2)
    for panel, (axis, label) in zip(panels, AXES.items(), strict=True):
        points = report[axis]
        x = [point[axis] for point in points]
        work = panel.twinx()
        for side, key, colour in (
            (panel, 'seconds', 'tab:blue'),
            (work, 'gflops', 'tab:orange'),
        ):
            y = [point[key] for point in points]
            side.plot(x, y, 'o-', color=colour)
            side.plot(x, [y[0] * i / x[0] for i in x], '--', color=colour, alpha=0.5)
            side.set_ylim(0, 1.1 * max(*y, y[0] * x[-1] / x[0]))
            side.set_ylabel(key.replace('gflops', 'GFLOPs'), color=colour)
        panel.set_xlabel(label)
        panel.set_xticks(x)
    figure.suptitle(report['machine'], fontsize=8)
    figure.savefig(path)


def main() -> None:
    """Measure and plot."""
    args = parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    report: dict[str, Any] = dict(
        machine=describe_machine(torch.device(args.device)), dtype=args.dtype
    )
    with tempfile.TemporaryDirectory() as folder:
        picture = 'testsrc2=s=340x256:r=30'
        video = write_clip(Path(folder) / 'clip.mp4', picture, frames=64)
        frames = [(count, 1) for count in args.frames]
        batches = [(8, count) for count in args.batch]
        for axis, sizes in (('frames', frames), ('batch', batches)):
            report[axis] = []
            for size in sizes:
                point = measure_size(args, video, *size)
                print(point, flush=True)
                report[axis].append(point)
    plot(report, args.out)
    write_text(
        args.out.with_suffix('.json'), json.dumps(report, indent=2), overwrite=True
    )


if __name__ == '__main__':
    with one_line_errors():
        main()
