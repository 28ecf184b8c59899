"""Run the cases of the benchmark and put the numbers together."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmxclip.benchmarks.contestants import Cases, Contestant, Ours
from mmxclip.benchmarks.flops import count_multiply_adds
from mmxclip.benchmarks.references import Reference
from mmxclip.benchmarks.timing import (
    MatrixProduct,
    Stopwatch,
    Timing,
    added_memory,
    quartiles,
)

CASES = {
    'tower': 'frames to video embedding (backbone and neck)',
    'head': 'head, class texts known',
    'head-texts': 'head, class texts encoded at each call',
    'model': 'whole model, class texts known to both sides',
    'as-shipped': 'whole model as its own API works: ours keeps class texts',
    'train-step': 'forward, backward and AdamW, class texts frozen and known',
    'data': 'training pipeline on one video file, per video',
    'end-to-end': 'validation pipeline, preprocessor and model, per video',
}


@dataclass
class Result:
    """Numbers of one case; times in seconds, spreads as first and third quartile.

    Those of the other side are None where it does not offer the case. The peak is the
    median of a large matrix product between the runs, None where ``gflops_per_video``
    is.
    """

    case: str
    ours: float
    ours_spread: tuple[float, float]
    theirs: float | None
    theirs_spread: tuple[float, float] | None
    ratio: float | None
    ratio_spread: tuple[float, float] | None
    videos_per_second: float
    gflops_per_video: float | None
    peak_gflops: float | None
    share_of_peak: float | None


@dataclass
class Memory:
    """10^6 bytes that a run of a case adds at its peak, None where not known."""

    case: str
    ours: float | None
    theirs: float | None


def time_case(
    case: str,
    contestants: Sequence[tuple[Contestant, Cases]],
    stopwatch: Stopwatch,
    *,
    repeats: int,
    videos: int,
    gflops: float | None,
) -> Result:
    """Time one case, and a matrix product between its runs if its work is known.

    Args:
        case: Name of the case.
        contestants: Ours with its cases, then possibly a reference with its own.
        stopwatch: Measures.
        repeats: How often each side runs.
        videos: Videos that one run works on.
        gflops: 10^9 multiply-adds per video, where known.
    """
    runs = [cases[case] for _, cases in contestants if case in cases]
    if gflops is None:
        peak, timings = None, stopwatch.alternate(runs, repeats=repeats)
    else:
        side = contestants[0][0]
        dtype = torch.bfloat16 if side.autocast else side.dtype
        product = MatrixProduct(dtype, side.device)
        *timings, limit = stopwatch.alternate(runs, repeats=repeats, yardstick=product)
        peak = product.multiply_adds / limit.median / 1e9
    for contestant, _ in contestants:
        contestant.forget_training()
    ours, theirs = timings[0], timings[1] if len(timings) > 1 else None
    return Result(
        case=case,
        ours=ours.median,
        ours_spread=ours.quartiles,
        theirs=theirs.median if theirs else None,
        theirs_spread=theirs.quartiles if theirs else None,
        ratio=theirs.median / ours.median if theirs else None,
        ratio_spread=_ratio_spread(ours, theirs) if theirs else None,
        videos_per_second=videos / ours.median,
        gflops_per_video=gflops,
        peak_gflops=peak,
        share_of_peak=gflops and peak and gflops * videos / ours.median / peak,
    )


def _ratio_spread(ours: Timing, theirs: Timing) -> tuple[float, float]:
    pairs = zip(theirs.seconds, ours.seconds, strict=True)
    return quartiles([b / a for b, a in pairs])


def measure_memory(
    case: str, contestants: Sequence[tuple[Contestant, Cases]]
) -> Memory:
    """Measure how much memory a run of a case adds at its peak, on each side.

    Args:
        case: Name of the case.
        contestants: See :func:`time_case`.
    """
    added: list[float | None] = [None, None]
    for side, (contestant, cases) in enumerate(contestants):
        if case in cases:
            cases[case]()  # what stays, as the optimizer's state, is not of a run
            memory = added_memory(cases[case], contestant.device)
            added[side] = None if memory is None else memory / 1e6
            contestant.forget_training()
    return Memory(case, *added)


def count_gflops(ours: Ours) -> dict[str, float]:
    """Return 10^9 multiply-adds per video of the cases that only infer."""
    model = copy.deepcopy(ours.model).to('meta').float()
    inputs = ours.inputs.to('meta').float()
    ghost = Ours(model, (inputs, torch.zeros(len(inputs))), 'float32')
    ghost.logits(inputs)  # the head knows its class texts from now on
    cases = ghost.cases()
    return {
        case: count_multiply_adds(cases[case]) / len(inputs) / 1e9
        for case in ('tower', 'head', 'head-texts', 'model', 'as-shipped')
        if case in cases
    }


def compare_logits(
    ours: Ours, reference: Reference | Ours, draw: Callable[[], Tensor], num_videos: int
) -> dict[str, Any]:
    """Score random videos with both sides.

    Args:
        ours: Our side.
        reference: The other side.
        draw: Returns a batch of inputs.
        num_videos: At least so many videos are scored.

    Returns:
        dict: ``videos``, ``max_difference`` and ``mean_difference`` of the logits, and
        ``top1_agreement`` (0 to 1).

    Raises:
        RuntimeError: Both sides compute the same in float32 and disagree.
    """
    pairs: list[tuple[Tensor, Tensor]] = []
    while sum(len(a) for a, _ in pairs) < num_videos:
        inputs = draw().to(ours.dtype)
        pairs.append((ours.logits(inputs).float(), reference.logits(inputs).float()))
    a, b = (torch.cat(side) for side in zip(*pairs, strict=True))
    difference = (a - b).abs()
    sides = (ours, reference)
    same = isinstance(reference, Reference)  # ours may approximate itself
    if same and all(s.dtype == torch.float32 and not s.autocast for s in sides):
        tolerance = 1e-4 * max(1.0, b.abs().max().item())
        if difference.max() > tolerance:
            raise RuntimeError(
                f'The logits of both sides differ by {difference.max():.2g}, more than '
                f'{tolerance:.2g}: they are not the same function, so their times '
                'say nothing.'
            )
    return dict(
        videos=len(a),
        max_difference=difference.max().item(),
        mean_difference=difference.mean().item(),
        top1_agreement=(a.argmax(1) == b.argmax(1)).float().mean().item(),
    )
