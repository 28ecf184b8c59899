"""Time a config's model, alone or against other implementations of X-CLIP.

    python tools/benchmark.py CONFIG --compare huggingface --batch-size 2 \
        --num-classes 400 --dtype float32 --json out.json

Weights are random unless --checkpoint is given; both sides have the same, and their
logits must agree before anything is timed. Both run in turns. The ratio is that of
the medians; the spread is the quartiles of the ratios of neighbouring runs. One GFLOP
is 10^9 multiply-adds. The peak is that of a large matrix product between the runs.

With --memory, what a run adds at its peak to the memory in use is measured instead of
time: on a GPU what torch allocates, else the resident set (on Linux).
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.cases import (
    CASES,
    compare_logits,
    count_gflops,
    measure_memory,
    time_case,
)
from mmxclip.benchmarks.contestants import DTYPES, Cases, Contestant, Ours
from mmxclip.benchmarks.preparation import (
    Pipeline,
    build_model,
    change_size,
    random_batch,
    write_video,
)
from mmxclip.benchmarks.references import REFERENCES
from mmxclip.benchmarks.table import (
    COLUMNS,
    MEMORY_COLUMNS,
    format_agreement,
    format_header,
    format_memory,
    format_row,
)
from mmxclip.benchmarks.timing import Stopwatch, describe_machine, return_freed_memory
from mmxclip.cli.launch import read_config
from mmxclip.cli.options import Options
from mmxclip.engine.hooks.compile_hook import compile_parts
from mmxclip.utils.files import write_text


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', help='config file')
    cases = '\n'.join(f'{name}: {text};' for name, text in CASES.items())
    add('--cases', nargs='+', choices=CASES, help=f'what to time (all): {cases}')
    add('--compare', choices=REFERENCES, help='implementation to compare with')
    add('--batch-size', type=int, default=2, help='videos of a run (%(default)s)')
    add('--num-classes', type=int, help="number of classes (the config's)")
    add('--frames', type=int, help="frames of a video (the config's)")
    add('--dtype', choices=DTYPES, default='float32', help='precision (%(default)s)')
    add('--compare-dtype', choices=DTYPES, help='precision of the other side (ours)')
    add('--compile', action='store_true', help='compile our model')
    add('--repeats', type=int, default=10, help='runs of each side (%(default)s)')
    add('--memory', action='store_true', help='measure memory instead of time')
    add('--agree-on', type=int, default=1, help='videos to compare logits on')
    add('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    add(
        '--clock',
        choices=['wall', 'cpu'],
        default='wall',
        help='cpu: time of this process only, for busy machines; use one thread',
    )
    add('--video', type=Path, help='file for data and end-to-end (10 s, 340 x 256)')
    add('--checkpoint', help='weights (random)')
    add('--json', type=Path, metavar='FILE', help='write all numbers there')
    add('--cfg-options', nargs='+', action=Options, metavar='KEY=VALUE')
    return parser.parse_args()


def data_cases(ours: Ours, cfg: Config, video: Path) -> Cases:
    """Return the cases that start from a video file."""
    validate = Pipeline(cfg, video)

    def end_to_end() -> Any:
        packed = validate()
        batch = dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']])
        data = ours.model.data_preprocessor(batch, False)
        inputs = data['inputs'].to(ours.dtype)
        return ours.model(inputs, data['data_samples'], mode='predict')

    return {
        'data': Pipeline(cfg, video, train=True),
        'end-to-end': ours.infer(end_to_end),
    }


def run_cases(
    args: argparse.Namespace,
    contestants: list[tuple[Contestant, Cases]],
    stopwatch: Stopwatch,
    gflops: dict[str, float],
) -> list[dict[str, Any]]:
    """Measure the cases, and print the numbers."""
    chosen = [case for case in args.cases or CASES if case in contestants[0][1]]
    results: list[dict[str, Any]] = []
    print(format_header(MEMORY_COLUMNS if args.memory else COLUMNS))
    for case in chosen:
        if args.memory:
            memory = measure_memory(case, contestants)
            print(format_memory(memory), flush=True)
            results.append(asdict(memory))
            continue
        videos = 1 if case in ('data', 'end-to-end') else args.batch_size
        result = time_case(
            case,
            contestants,
            stopwatch,
            repeats=args.repeats,
            videos=videos,
            gflops=gflops.get(case),
        )
        print(format_row(result), flush=True)
        results.append(asdict(result))
    return results


def benchmark(args: argparse.Namespace, video: Path) -> dict[str, Any]:
    """Build both sides, let them agree, and time the cases."""
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    change_size(cfg, frames=args.frames, num_classes=args.num_classes)
    stopwatch = Stopwatch(torch.device(args.device), args.clock)
    model = build_model(cfg, stopwatch.device, args.checkpoint)
    like = Pipeline(cfg, video)()['inputs']

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        return random_batch(model, like, args.batch_size, model.cls_head.num_classes)

    batch = draw()
    gflops = count_gflops(Ours(model, batch, 'float32'))
    report: dict[str, Any] = dict(machine=describe_machine(stopwatch.device))
    contestants: list[tuple[Contestant, Cases]] = []
    if args.compare:
        whole = Ours(model, batch, 'float32')
        reference = REFERENCES[args.compare](whole, args.compare_dtype or args.dtype)
        contestants.append((reference, reference.cases()))
    ours = Ours(model, batch, args.dtype)
    if args.compile:
        compile_parts(model)
    contestants.insert(0, (ours, ours.cases() | data_cases(ours, cfg, video)))
    if args.compare:
        report['agreement'] = compare_logits(
            ours, reference, lambda: draw()[0], args.agree_on
        )
        print(format_agreement(report['agreement']))
    print(f'{report["machine"]}\n')
    report['results'] = run_cases(args, contestants, stopwatch, gflops)
    return report


def main() -> None:
    """Benchmark."""
    args = parse_args()
    if args.json:  # before the work, not after it
        args.json.parent.mkdir(parents=True, exist_ok=True)
    if args.memory:
        return_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        video = args.video or write_video(
            Path(folder) / 'clip.mp4', width=340, height=256, frames=300
        )
        report = benchmark(args, video)
    if args.json:
        settings = {key: str(value) for key, value in vars(args).items()}
        write_text(
            args.json,
            json.dumps(dict(settings=settings, **report), indent=2),
            overwrite=True,
        )


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError, SyntaxError) as error:
        sys.exit(f'error: {error}')
