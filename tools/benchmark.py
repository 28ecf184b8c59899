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
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmxclip.benchmarks.cases import (
    CASES,
    Numbers,
    compare_logits,
    count_gflops,
    measure_memory,
    time_runs,
)
from mmxclip.benchmarks.contestants import DTYPES, Cases, Ours
from mmxclip.benchmarks.preparation import (
    build_model,
    change_size,
    load_with,
    random_batch,
    write_clip,
)
from mmxclip.benchmarks.references import REFERENCES
from mmxclip.benchmarks.timing import (
    MatrixProduct,
    Stopwatch,
    describe_machine,
    return_freed_memory,
)
from mmxclip.cli.failure import one_line_errors
from mmxclip.cli.launch import read_config
from mmxclip.cli.options import Options, make_parser
from mmxclip.engine.hooks.compile_hook import compile_parts
from mmxclip.utils.files import write_text

# column: name of the number, and its format
Columns = dict[str, tuple[str, str]]
TIME_COLUMNS: Columns = {
    'ours': ('ours', '{:.4g} s'),
    'theirs': ('theirs', '{:.4g} s'),
    'ratio': ('ratio', '{:.2f}'),
    '(spread)': ('ratio_spread', '({0[0]:.2f}-{0[1]:.2f})'),
    'videos/s': ('videos_per_second', '{:.2f}'),
    'GFLOPs': ('gflops_per_video', '{:.1f}'),
    'of peak': ('share_of_peak', '{:.0%}'),
}
MEMORY_COLUMNS: Columns = {
    'ours': ('ours', '{:.0f} MB'),
    'theirs': ('theirs', '{:.0f} MB'),
    'ratio': ('ratio', '{:.0%}'),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add('config', help='config file')
    cases = '\n'.join(f'{name}: {text};' for name, text in CASES.items())
    add('--cases', nargs='+', choices=CASES, help=f'what to time (all): {cases}')
    add('--compare', choices=REFERENCES, help='implementation to compare with')
    add('--batch-size', type=int, default=2, help='videos of a run (%(default)s)')
    add('--num-classes', type=int, help="number of classes (the config's)")
    add('--frames', type=int, help="frames of a video (the config's)")
    add('--dtype', choices=DTYPES, default='float32', help='precision (%(default)s)')
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
    validate = load_with(cfg.val_dataloader.dataset.pipeline, video)

    def end_to_end() -> Any:
        packed = validate()
        batch = dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']])
        data = ours.model.data_preprocessor(batch, False)
        inputs = data['inputs'].to(ours.dtype)
        return ours.model(inputs, data['data_samples'], mode='predict')

    return {
        'data': load_with(cfg.train_dataloader.dataset.pipeline, video),
        'end-to-end': ours.infer(end_to_end),
    }


def measure_cases(
    args: argparse.Namespace,
    ours: Ours,
    sides: list[Cases],
    gflops: dict[str, float],
) -> list[Numbers]:
    """Measure the cases, and print the numbers."""
    stopwatch = Stopwatch(ours.device, args.clock)
    dtype = torch.bfloat16 if ours.autocast else ours.dtype
    product = MatrixProduct(dtype, ours.device)
    columns = MEMORY_COLUMNS if args.memory else TIME_COLUMNS
    print(' '.join(f'{name:>11}' for name in ('case', *columns)))
    results = []
    for case in [case for case in args.cases or CASES if case in sides[0]]:
        runs = [cases[case] for cases in sides if case in cases]
        if args.memory:
            numbers = measure_memory(runs, ours.device)
        else:
            numbers = time_runs(
                runs,
                stopwatch,
                product,
                repeats=args.repeats,
                videos=1 if case in ('data', 'end-to-end') else args.batch_size,
                gflops=gflops.get(case),
            )
        print_row(case, numbers, columns)
        results.append(dict(case=case, **numbers))
    return results


def print_row(case: str, numbers: Numbers, columns: Columns) -> None:
    """Print what is known of a case."""
    values = [(form, numbers[name]) for name, form in columns.values()]
    cells = ('' if value is None else form.format(value) for form, value in values)
    print(' '.join(f'{cell:>11}' for cell in (case, *cells)), flush=True)


def benchmark(args: argparse.Namespace, video: Path) -> dict[str, Any]:
    """Build both sides, let them agree, and measure the cases."""
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    change_size(cfg, frames=args.frames, num_classes=args.num_classes)
    device = torch.device(args.device)
    model = build_model(cfg, device, args.checkpoint)
    like = load_with(cfg.val_dataloader.dataset.pipeline, video)()['inputs']

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        return random_batch(model, like, args.batch_size, model.cls_head.num_classes)

    batch = draw()
    whole = Ours(model, batch, 'float32')
    gflops = count_gflops(whole)
    reference = None
    if args.compare:
        reference = REFERENCES[args.compare](whole, args.dtype)
    ours = Ours(model, batch, args.dtype)
    if args.compile:
        compile_parts(model)
    sides = [ours.cases() | data_cases(ours, cfg, video)]
    report: dict[str, Any] = dict(machine=describe_machine(device))
    if reference:
        sides.append(reference.cases())
        agreement = compare_logits(ours, reference, lambda: draw()[0], args.agree_on)
        report['agreement'] = agreement
        print(
            'logits of {videos} videos: largest difference {max_difference:.2g}, mean '
            '{mean_difference:.2g}, same best class {top1_agreement:.1%}'.format(
                **agreement
            )
        )
    print(f'{report["machine"]}\n')
    report['results'] = measure_cases(args, ours, sides, gflops)
    return report


def main() -> None:
    """Benchmark."""
    args = parse_args()
    if args.json:  # before the work, not after it
        args.json.parent.mkdir(parents=True, exist_ok=True)
    if args.memory:
        return_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        clip, picture = Path(folder) / 'clip.mp4', 'testsrc2=s=340x256:r=30'
        report = benchmark(args, args.video or write_clip(clip, picture, frames=300))
    if args.json:
        report['settings'] = {key: str(value) for key, value in vars(args).items()}
        write_text(args.json, json.dumps(report, indent=2), overwrite=True)


if __name__ == '__main__':
    with one_line_errors():
        main()
