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
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.timing import describe_machine
from mmxclip.cli.launch import read_config
from mmxclip.datasets.writers.reencoding import Reencoder, Settings
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.utils.files import write_text

ROOT = Path(__file__).resolve().parent.parent
STAGES = ('open', 'decode', 'crop', 'colour', 'pack')
CLIPS = {'340x256': '600k', '1280x720': '2500k'}  # and their bit rates
STAGE_OF = {
    'SegmentSampleFrames': 'open',
    'VideoColorJitter': 'colour',
    'VideoGrayscale': 'colour',
    'RandomApply': 'colour',
    'FormatShape': 'pack',
    'PackActionInputs': 'pack',
}
STOCK: dict[str, dict | None] = {
    'VideoInit': dict(type='DecordInit'),
    'VideoDecode': dict(type='DecordDecode'),
    'VideoColorJitter': dict(
        type='RandomApply',
        prob=0.8,
        transforms=[
            dict(
                type='ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.2,
                hue=0.1,
            )
        ],
    ),
    'VideoGrayscale': None,
}


@dataclass
class Row:
    """Milliseconds per clip of one pipeline."""

    clip: str
    part: str
    pipeline: str
    stages: dict[str, float]

    @property
    def after_decoding(self) -> float:
        """All but opening and decoding."""
        return sum(self.stages[name] for name in STAGES[2:])

    @property
    def whole(self) -> float:
        """All stages."""
        return sum(self.stages.values())


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        path = folder / f'{size}.mp4'
        zoom = f'mandelbrot=s={size}:r=30:start_scale=2:end_scale=0.02:maxiter=200'
        picture = f'{zoom}:end_pts={seconds * 30},noise=all_strength=4:all_flags=t'
        options = dict(b=rate, bf='3', sc_threshold='40')
        with (
            av.open(picture, format='lavfi') as source,
            VideoWriter(path, fps=30, gop=250, options=options) as video,
        ):
            for frame in islice(source.decode(video=0), round(seconds * 30)):
                video.write(frame.reformat(format='yuv420p'))
        paths.append(path)
    return paths


def make_stock(pipeline: list[dict]) -> list[dict]:
    """Put MMAction2's transforms in the place of ours."""
    steps = [STOCK.get(step['type'], step) for step in pipeline]
    return [step for step in steps if step is not None]


def stage_of(kind: str) -> str:
    """Return the stage that a transform belongs to."""
    if kind.endswith('Init'):
        return 'open'
    if kind.endswith('Decode'):
        return 'decode'
    return STAGE_OF.get(kind, 'crop')


class StagedPipeline:
    """A pipeline that times its stages.

    Args:
        pipeline: Configs of the transforms.
    """

    def __init__(self, pipeline: list[dict]) -> None:
        self.steps: list[tuple[str, Any]] = [
            (stage_of(step['type']), TRANSFORMS.build(step)) for step in pipeline
        ]

    def __call__(self, path: Path, seed: int) -> dict[str, float]:
        """Return the milliseconds of each stage."""
        random.seed(seed)
        np.random.seed(seed)
        spent = dict.fromkeys(STAGES, 0.0)
        results = dict(filename=str(path), start_index=0, label=0, modality='RGB')
        for stage, step in (*self.steps, ('pack', _stack)):
            start = time.process_time()
            results = step(results)
            spent[stage] += (time.process_time() - start) * 1e3
        return spent


def _stack(results: dict) -> torch.Tensor:
    return torch.stack([results['inputs']])


def measure(path: Path, prepared: Path, pipeline: list[dict], args: Any) -> list[Row]:
    """Run the pipelines on a clip in turns."""
    part = 'train' if any('Color' in step['type'] for step in pipeline) else 'test'
    other = [dict(pipeline[0], type=args.decoder), *pipeline[1:]]
    runs = {
        'stock': partial(StagedPipeline(make_stock(pipeline)), path),
        args.decoder: partial(StagedPipeline(other), path),
        'ours': partial(StagedPipeline(pipeline), path),
        f'{args.decoder}, prepared': partial(StagedPipeline(other), prepared),
        'ours, prepared': partial(StagedPipeline(pipeline), prepared),
    }
    draws: dict[tuple[str, int], list[dict[str, float]]] = {}
    for seed in range(args.draws if part == 'train' else 1):
        for _ in range(args.rounds):
            for name, run in runs.items():
                draws.setdefault((name, seed), []).append(run(seed))
    best = {
        key: {stage: min(r[stage] for r in rounds) for stage in STAGES}
        for key, rounds in draws.items()
    }
    return [
        Row(path.stem, part, name, _mean([best[key] for key in best if key[0] == name]))
        for name in runs
    ]


def _mean(draws: list[dict[str, float]]) -> dict[str, float]:
    return {stage: sum(d[stage] for d in draws) / len(draws) for stage in STAGES}


def print_rows(rows: list[Row]) -> None:
    """Print the pipelines of one clip; ratios are stock's time to theirs."""
    stock = rows[0]
    print(f'\n{stock.clip}, {stock.part} (ms per clip)')
    names = [*STAGES, 'after', 'whole', '/decode', 'x after', 'x whole']
    print(f'{"":25}' + ''.join(f'{name:>9}' for name in names))
    for row in rows:
        numbers = [*row.stages.values(), row.after_decoding, row.whole]
        decoding = row.stages['open'] + row.stages['decode']
        ratios = [
            row.whole / decoding,
            stock.after_decoding / row.after_decoding,
            stock.whole / row.whole,
        ]
        print(
            f'{row.pipeline:25}'
            + ''.join(f'{number:9.1f}' for number in numbers)
            + ''.join(f'{ratio:9.2f}' for ratio in ratios)
        )


def main() -> int:
    """Make the clips and time what reads them."""
    args = parse_args()
    if args.json:  # before the work, not after it
        args.json.parent.mkdir(parents=True, exist_ok=True)
    init_default_scope('mmaction')
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    cfg = read_config(args.config)
    reencode = Reencoder(Settings())
    machine = describe_machine(torch.device('cpu'))
    machine += f', OpenCV {cv2.__version__}, PyAV {av.__version__}'
    print(machine)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in args.videos or generate(folder, args.seconds):
            prepared = folder / f'{path.stem}_prepared.mp4'
            outcome = reencode((path, prepared))
            if outcome.error:
                raise ValueError(outcome.error)
            for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
                rows += measure(path, prepared, list(pipeline), args)
                print_rows(rows[-5:])
    if args.json:
        numbers = [
            asdict(row) | dict(after_decoding=row.after_decoding, whole=row.whole)
            for row in rows
        ]
        write_text(
            args.json,
            json.dumps(dict(machine=machine, rows=numbers), indent=2),
            overwrite=True,
        )
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError, SyntaxError) as error:
        sys.exit(f'error: {error}')
