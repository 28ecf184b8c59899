"""A config's model timed, alone or against other implementations of X-CLIP."""

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from mmxclip.benchmarks.cases import (
    CASES,
    Numbers,
    compare_logits,
    count_gflops,
    measure_memory,
    time_runs,
)
from mmxclip.benchmarks.contestants import Cases, Ours
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
from mmxclip.cli.launch import read_config
from mmxclip.engine.hooks.compile_hook import compile_parts
from mmxclip.export.engine import DType, run_by_onnx
from mmxclip.utils.files import check_writable, write_text

# column: name of the number, and its format
_TIME_COLUMNS = {
    'ours': ('ours', '{:.4g} s'),
    'theirs': ('theirs', '{:.4g} s'),
    'ratio': ('ratio', '{:.2f}'),
    '(spread)': ('ratio_spread', '({0[0]:.2f}-{0[1]:.2f})'),
    'videos/s': ('videos_per_second', '{:.2f}'),
    'GFLOPs': ('gflops_per_video', '{:.1f}'),
    'of peak': ('share_of_peak', '{:.0%}'),
}
_MEMORY_COLUMNS = {
    'ours': ('ours', '{:.0f} MB'),
    'theirs': ('theirs', '{:.0f} MB'),
    'ratio': ('ratio', '{:.0%}'),
}
# What runs the towers: the precision of onnxruntime.
ENGINES: dict[str, DType | None] = {'torch': None, 'onnx': 'fp32', 'onnx-int8': 'int8'}
_AGREEMENT = (
    'logits of {videos} videos: largest difference {max_difference:.2g}, mean '
    '{mean_difference:.2g}, same best class {top1_agreement:.1%}\n'
)


@dataclass(frozen=True)
class ModelBenchmark:
    """What is measured, and how.

    Attributes:
        config: Config file.
        cfg_options: Settings that replace those of the config.
        checkpoint: Weights; None for random ones.
        frames: Frames of a video; None for the config's.
        num_classes: Number of classes; None for the config's.
        video: For the cases that start from a file; None for a generated one.
        cases: Of ``CASES``; None for all.
        compare: The other side, of ``REFERENCES``; None for no other.
        agree_on: At least so many videos' logits are compared.
        batch_size: Videos of a run.
        dtype: Of ``DTYPES``.
        engine: Of ``ENGINES``: what runs our towers.
        compile: Whether our model is compiled.
        device: Where both sides run.
        repeats: Runs of each side.
        clock: ``'wall'`` or ``'cpu'``, see :class:`.Stopwatch`.
        memory: Whether memory is measured instead of time.
    """

    config: str
    cfg_options: dict | None
    checkpoint: str | None
    frames: int | None
    num_classes: int | None
    video: Path | None
    cases: Sequence[str] | None
    compare: str | None
    agree_on: int
    batch_size: int
    dtype: str
    engine: str
    compile: bool
    device: str
    repeats: int
    clock: str
    memory: bool

    def run(self, out: Path | None = None) -> None:
        """Measure, print the numbers, and write all of them to a JSON file.

        Raises:
            FileNotFoundError: There is no such config.
            ValueError: The config does not fit what is asked for.
            RuntimeError: Both sides are not the same function.
        """
        if self.engine != 'torch' and (self.compile or self.dtype != 'float32'):
            raise ValueError(f'--engine {self.engine} has a precision of its own')
        if out:  # before the work, not after it
            check_writable(out)
        if self.memory:
            return_freed_memory()
        with tempfile.TemporaryDirectory() as folder:
            clip, picture = Path(folder) / 'clip.mp4', 'testsrc2=s=340x256:r=30'
            report = self._compare(self.video or write_clip(clip, picture, frames=300))
        if out:
            report['settings'] = {key: str(value) for key, value in vars(self).items()}
            write_text(out, json.dumps(report, indent=2), overwrite=True)

    def _compare(self, video: Path) -> dict[str, Any]:
        """Build both sides, let them agree, and measure the cases."""
        cfg = read_config(self.config, self.cfg_options)
        init_default_scope(cfg.get('default_scope', 'mmaction'))
        change_size(cfg, frames=self.frames, num_classes=self.num_classes)
        device = torch.device(self.device)
        model = build_model(cfg, device, self.checkpoint)
        like = load_with(cfg.val_dataloader.dataset.pipeline, video)()['inputs']

        def draw() -> tuple[Tensor, Tensor]:
            classes = model.cls_head.num_classes
            return random_batch(model, like, self.batch_size, classes)

        batch = draw()
        whole = Ours(model, batch, 'float32')
        gflops = count_gflops(whole)
        reference = self.compare and REFERENCES[self.compare](whole, self.dtype)
        by_onnx = ENGINES[self.engine]
        if by_onnx:
            run_by_onnx(model, by_onnx)
        ours = Ours(model, batch, self.dtype)
        ours.exact = ours.exact and by_onnx != 'int8'
        if self.compile:
            compile_parts(model)
        sides = [ours.cases() | _data_cases(ours, cfg, video)]
        if by_onnx:
            del sides[0]['train-step']
        report: dict[str, Any] = dict(machine=describe_machine(device))
        if reference:
            sides.append(reference.cases())
            agreement = compare_logits(
                ours, reference, lambda: draw()[0], self.agree_on
            )
            sys.stdout.write(_AGREEMENT.format(**agreement))
            report['agreement'] = agreement
        sys.stdout.write(f'{report["machine"]}\n\n')
        report['results'] = self._measure(ours, sides, gflops)
        return report

    def _measure(
        self, ours: Ours, sides: list[Cases], gflops: dict[str, float]
    ) -> list[Numbers]:
        """Measure the cases, and print the numbers."""
        stopwatch = Stopwatch(ours.device, self.clock)
        dtype = torch.bfloat16 if ours.autocast else ours.dtype
        product = MatrixProduct(dtype, ours.device)
        columns = _MEMORY_COLUMNS if self.memory else _TIME_COLUMNS
        _print_row(['case', *columns])
        results = []
        for case in [case for case in self.cases or CASES if case in sides[0]]:
            runs = [cases[case] for cases in sides if case in cases]
            if self.memory:
                numbers = measure_memory(runs, ours.device)
            else:
                numbers = time_runs(
                    runs,
                    stopwatch,
                    product,
                    repeats=self.repeats,
                    videos=1 if case in ('data', 'end-to-end') else self.batch_size,
                    gflops=gflops.get(case),
                )
            values = [(form, numbers[name]) for name, form in columns.values()]
            _print_row([case, *('' if x is None else f.format(x) for f, x in values)])
            results.append(dict(case=case, **numbers))
        return results


def _print_row(cells: Iterable[str]) -> None:
    sys.stdout.write(' '.join(f'{cell:>11}' for cell in cells) + '\n')
    sys.stdout.flush()


def _data_cases(ours: Ours, cfg: Config, video: Path) -> Cases:
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
