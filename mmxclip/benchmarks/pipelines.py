"""The data path timed, step by step, against MMAction2's own transforms."""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from mmxclip.cli.launch import read_config
from mmxclip.datasets.writers.reencoding import Reencoder, Settings
from mmxclip.utils.files import check_writable, write_text

_STAGES = ('open', 'decode', 'crop', 'colour', 'pack')
_STAGE_OF = {
    'SegmentSampleFrames': 'open',
    'VideoColorJitter': 'colour',
    'VideoGrayscale': 'colour',
    'RandomApply': 'colour',
    'FormatShape': 'pack',
    'PackActionInputs': 'pack',
}
_CLIPS = {'340x256': '600k', '1280x720': '2500k'}  # and their bit rates
_JITTER = dict(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
_STOCK: dict[str, dict | None] = {
    'VideoInit': dict(type='DecordInit'),
    'VideoDecode': dict(type='DecordDecode'),
    'VideoColorJitter': dict(
        type='RandomApply', prob=0.8, transforms=[dict(type='ColorJitter', **_JITTER)]
    ),
    'VideoGrayscale': None,
}


@dataclass(frozen=True)
class PipelineBenchmark:
    """What is measured, and how.

    Attributes:
        config: Config file with a training and a test pipeline.
        videos: Video files; None for generated ones.
        seconds: Length of generated ones.
        decoder: Transform that opens videos, to compare with ours.
        draws: Of the random transforms, in training.
        rounds: Runs of a draw, of which the fastest counts.
    """

    config: str
    videos: Sequence[Path] | None
    seconds: float
    decoder: str
    draws: int
    rounds: int

    def run(self, out: Path | None = None) -> None:
        """Measure, print the numbers, and write all of them to a JSON file.

        Raises:
            FileNotFoundError: There is no such config.
            ValueError: A video cannot be re-encoded.
        """
        if out:  # before the work, not after it
            check_writable(out)
        init_default_scope('mmaction')
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        cfg = read_config(self.config)
        encoder = Reencoder(Settings())
        machine = describe_machine(torch.device('cpu'))
        machine += f', OpenCV {cv2.__version__}, PyAV {av.__version__}'
        sys.stdout.write(f'{machine}\n')
        rows: list[dict] = []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for path in self.videos or _generate(folder, self.seconds):
                prepared = folder / f'{path.stem}_prepared.mp4'
                outcome = encoder((path, prepared))
                if outcome.error:
                    raise ValueError(outcome.error)
                for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
                    measured = self._measure(path, prepared, list(pipeline))
                    _print_rows(measured)
                    rows += measured
        if out:
            numbers = json.dumps(dict(machine=machine, rows=rows), indent=2)
            write_text(out, numbers, overwrite=True)

    def _measure(self, path: Path, prepared: Path, pipeline: list[dict]) -> list[dict]:
        """Run the pipelines on a clip in turns."""
        part = 'train' if any('Color' in step['type'] for step in pipeline) else 'test'
        other = _build([dict(pipeline[0], type=self.decoder), *pipeline[1:]])
        ours = _build(pipeline)
        runs = {
            'stock': (_build(_make_stock(pipeline)), path),
            self.decoder: (other, path),
            'ours': (ours, path),
            f'{self.decoder}, prepared': (other, prepared),
            'ours, prepared': (ours, prepared),
        }
        draws = self.draws if part == 'train' else 1
        spent = np.empty((draws, self.rounds, len(runs), len(_STAGES)))
        for seed, turn in np.ndindex(draws, self.rounds):
            spent[seed, turn] = [_time_stages(*run, seed) for run in runs.values()]
        return [
            dict(
                clip=path.stem,
                part=part,
                pipeline=name,
                stages=dict(zip(_STAGES, stages, strict=True)),
                after_decoding=sum(stages[2:]),
                whole=sum(stages),
            )
            for name, stages in zip(runs, spent.min(1).mean(0).tolist(), strict=True)
        ]


def _generate(folder: Path, seconds: float) -> list[Path]:
    """Make clips: a zoom into a fractal with noise, H.264, far key frames."""
    paths = []
    for size, rate in _CLIPS.items():
        zoom = f'mandelbrot=s={size}:r=30:start_scale=2:end_scale=0.02:maxiter=200'
        picture = f'{zoom}:end_pts={seconds * 30},noise=all_strength=4:all_flags=t'
        path, frames = folder / f'{size}.mp4', round(seconds * 30)
        options = dict(b=rate, bf='3', sc_threshold='40')
        paths.append(write_clip(path, picture, frames, **options))
    return paths


def _make_stock(pipeline: list[dict]) -> list[dict]:
    """Put MMAction2's transforms in the place of ours."""
    steps = [_STOCK.get(step['type'], step) for step in pipeline]
    return [step for step in steps if step is not None]


def _stage_of(kind: str) -> str:
    """Return the stage that a transform belongs to."""
    if kind.endswith('Init'):
        return 'open'
    return 'decode' if kind.endswith('Decode') else _STAGE_OF.get(kind, 'crop')


def _build(pipeline: list[dict]) -> list[tuple[int, Callable]]:
    """Return the transforms, each with the place of its stage."""
    places = [_STAGES.index(_stage_of(step['type'])) for step in pipeline]
    steps = map(TRANSFORMS.build, pipeline)
    stack = (_STAGES.index('pack'), lambda packed: torch.stack([packed['inputs']]))
    return [*zip(places, steps, strict=True), stack]


def _time_stages(
    steps: list[tuple[int, Callable]], path: Path, seed: int
) -> np.ndarray:
    """Return the milliseconds of each stage."""
    random.seed(seed)
    np.random.seed(seed)
    spent = np.zeros(len(_STAGES))
    data: Any = dict(filename=str(path), start_index=0, label=0, modality='RGB')
    for place, step in steps:
        start = time.process_time()
        data = step(data)
        spent[place] += (time.process_time() - start) * 1e3
    return spent


def _print_rows(rows: list[dict]) -> None:
    """Print the pipelines of one clip; ratios are stock's time to theirs."""
    stock = rows[0]
    lines = ['', f'{stock["clip"]}, {stock["part"]} (ms per clip)']
    names = [*_STAGES, 'after', 'whole', '/decode', 'x after', 'x whole']
    lines.append(f'{"":25}' + ''.join(f'{name:>9}' for name in names))
    for row in rows:
        after, whole = row['after_decoding'], row['whole']
        numbers = [*row['stages'].values(), after, whole]
        ratios = whole / (whole - after), stock['after_decoding'] / after
        lines.append(
            f'{row["pipeline"]:25}'
            + ''.join(f'{number:9.1f}' for number in numbers)
            + ''.join(f'{ratio:9.2f}' for ratio in (*ratios, stock['whole'] / whole))
        )
    sys.stdout.write('\n'.join(lines) + '\n')
    sys.stdout.flush()
