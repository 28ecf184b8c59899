"""Time the data path, step by step, against MMAction2's own transforms.

    python tools/benchmark_data.py --json out.json

Reads clips of 10 s, generated, at 340x256 and at
1280x720 with far key frames, as they are and re-encoded by
tools/data/prepare_videos.py. On one thread, in processor time: each draw of the
random transforms is run in turns by all pipelines, the least of the rounds counts,
and the table has the mean over the draws, per clip. ``stock`` are MMAction2's own
transforms on the same frames (its ColorJitter; it has nothing for the grey videos and
leaves them out), ``ours`` what the configs run, and the row between them the same with
another decoder. Packing ends with one contiguous array, as a batch needs it.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.preparation import write_clip
from mmxclip.benchmarks.timing import describe_machine
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import read_config
from mmxclip.cli.options import make_parser
from mmxclip.datasets.writers.reencoding import Reencoder, Settings
from mmxclip.utils.files import write_text

ROOT = Path(__file__).resolve().parent.parent
STAGES = ('open', 'decode', 'crop', 'colour', 'pack')
STAGE_OF = {
    'SegmentSampleFrames': 'open',
    'VideoColorJitter': 'colour',
    'VideoGrayscale': 'colour',
    'RandomApply': 'colour',
    'FormatShape': 'pack',
    'PackActionInputs': 'pack',
}
CLIPS = {'340x256': '600k', '1280x720': '2500k'}  # and their bit rates
JITTER = dict(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
STOCK: dict[str, dict | None] = {
    'VideoInit': dict(type='DecordInit'),
    'VideoDecode': dict(type='DecordDecode'),
    'VideoColorJitter': dict(
        type='RandomApply', prob=0.8, transforms=[dict(type='ColorJitter', **JITTER)]
    ),
    'VideoGrayscale': None,
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    pipelines = ROOT / 'configs/_base_/pipelines/u8-res224.py'
    parser.add_argument('--config', default=pipelines, help='has the pipelines')
    parser.add_argument('--videos', type=Path, nargs='+', help='instead of generated')
    parser.add_argument(
        '--decoder', default='SafeDecordInit', help='what ours is compared with'
    )
    parser.add_argument('--seconds', type=float, default=10, help='of generated clips')
    parser.add_argument('--draws', type=int, default=10, help='in training')
    parser.add_argument('--rounds', type=int, default=3, help='runs of a draw')
    parser.add_argument('--json', type=Path, help='file for the numbers')
    return parser.parse_args()


def generate(folder: Path, seconds: float) -> list[Path]:
    """Make clips: a zoom into a fractal with noise, H.264, far key frames."""
    paths = []
    for size, rate in CLIPS.items():
        zoom = f'mandelbrot=s={size}:r=30:start_scale=2:end_scale=0.02:maxiter=200'
        picture = f'{zoom}:end_pts={seconds * 30},noise=all_strength=4:all_flags=t'
        path, frames = folder / f'{size}.mp4', round(seconds * 30)
        options = dict(b=rate, bf='3', sc_threshold='40')
        paths.append(write_clip(path, picture, frames, **options))
    return paths


def make_stock(pipeline: list[dict]) -> list[dict]:
    """Put MMAction2's transforms in the place of ours."""
    steps = [STOCK.get(step['type'], step) for step in pipeline]
    return [step for step in steps if step is not None]


def stage_of(kind: str) -> str:
    """Return the stage that a transform belongs to."""
    if kind.endswith('Init'):
        return 'open'
    return 'decode' if kind.endswith('Decode') else STAGE_OF.get(kind, 'crop')


def build(pipeline: list[dict]) -> list[tuple[int, Callable]]:
    """Return the transforms, each with the place of its stage."""
    places = [STAGES.index(stage_of(step['type'])) for step in pipeline]
    steps = map(TRANSFORMS.build, pipeline)
    stack = (STAGES.index('pack'), lambda packed: torch.stack([packed['inputs']]))
    return [*zip(places, steps, strict=True), stack]


def time_stages(steps: list[tuple[int, Callable]], path: Path, seed: int) -> np.ndarray:
    """Return the milliseconds of each stage."""
    random.seed(seed)
    np.random.seed(seed)
    spent = np.zeros(len(STAGES))
    data: Any = dict(filename=str(path), start_index=0, label=0, modality='RGB')
    for place, step in steps:
        start = time.process_time()
        data = step(data)
        spent[place] += (time.process_time() - start) * 1e3
    return spent


def measure(path: Path, prepared: Path, pipeline: list[dict], args: Any) -> list[dict]:
    """Run the pipelines on a clip in turns."""
    part = 'train' if any('Color' in step['type'] for step in pipeline) else 'test'
    other = build([dict(pipeline[0], type=args.decoder), *pipeline[1:]])
    ours = build(pipeline)
    runs = {
        'stock': (build(make_stock(pipeline)), path),
        args.decoder: (other, path),
        'ours': (ours, path),
        f'{args.decoder}, prepared': (other, prepared),
        'ours, prepared': (ours, prepared),
    }
    draws = args.draws if part == 'train' else 1
    spent = np.empty((draws, args.rounds, len(runs), len(STAGES)))
    for seed, turn in np.ndindex(draws, args.rounds):
        spent[seed, turn] = [time_stages(*run, seed) for run in runs.values()]
    return [
        dict(
            clip=path.stem,
            part=part,
            pipeline=name,
            stages=dict(zip(STAGES, stages, strict=True)),
            after_decoding=sum(stages[2:]),
            whole=sum(stages),
        )
        for name, stages in zip(runs, spent.min(1).mean(0).tolist(), strict=True)
    ]


def print_rows(rows: list[dict]) -> None:
    """Print the pipelines of one clip; ratios are stock's time to theirs."""
    stock = rows[0]
    print(f'\n{stock["clip"]}, {stock["part"]} (ms per clip)')
    names = [*STAGES, 'after', 'whole', '/decode', 'x after', 'x whole']
    print(f'{"":25}' + ''.join(f'{name:>9}' for name in names))
    for row in rows:
        after, whole = row['after_decoding'], row['whole']
        numbers = [*row['stages'].values(), after, whole]
        ratios = whole / (whole - after), stock['after_decoding'] / after
        print(
            f'{row["pipeline"]:25}'
            + ''.join(f'{number:9.1f}' for number in numbers)
            + ''.join(f'{ratio:9.2f}' for ratio in (*ratios, stock['whole'] / whole))
        )


def main() -> None:
    """Make the clips and time what reads them."""
    args = parse_args()
    if args.json:  # before the work, not after it
        args.json.parent.mkdir(parents=True, exist_ok=True)
    init_default_scope('mmaction')
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    cfg = read_config(args.config)
    encoder = Reencoder(Settings())
    machine = describe_machine(torch.device('cpu'))
    machine += f', OpenCV {cv2.__version__}, PyAV {av.__version__}'
    print(machine)
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in args.videos or generate(folder, args.seconds):
            prepared = folder / f'{path.stem}_prepared.mp4'
            outcome = encoder((path, prepared))
            if outcome.error:
                raise ValueError(outcome.error)
            for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
                measured = measure(path, prepared, list(pipeline), args)
                print_rows(measured)
                rows += measured
    if args.json:
        numbers = json.dumps(dict(machine=machine, rows=rows), indent=2)
        write_text(args.json, numbers, overwrite=True)


if __name__ == '__main__':
    with one_line_errors():
        main()
