"""What the benchmark measures, and whether both sides are the same function."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmxclip.benchmarks.contestants import Ours
from mmxclip.benchmarks.flops import count_multiply_adds
from mmxclip.benchmarks.references import Exact, HuggingFace, PyTorch
from mmxclip.benchmarks.timing import MatrixProduct, Run, Stopwatch, added_memory

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
Numbers = dict[str, Any]


def time_runs(
    runs: Sequence[Run],
    stopwatch: Stopwatch,
    product: MatrixProduct,
    *,
    repeats: int,
    videos: int,
    gflops: float | None,
) -> Numbers:
    """Time one case.

    Args:
        runs: Ours, then possibly the reference's.
        stopwatch: Measures.
        product: Runs between them, to tell the machine's limit.
        repeats: How often each runs.
        videos: Videos that one run works on.
        gflops: 10^9 multiply-adds per video, where known.

    Returns:
        dict: ``ours`` and ``theirs``, median seconds; ``ratio``, theirs to ours, and
        ``ratio_spread``, the quartiles of the ratios of neighbouring runs;
        ``videos_per_second``; ``gflops_per_video``; ``peak_gflops``, per second, of
        the matrix product; ``share_of_peak``. What is not known is None.
    """
    limit, *seconds = stopwatch.alternate([product, *runs], repeats=repeats)
    ours, theirs = seconds[0], seconds[1] if len(seconds) > 1 else None
    median = float(np.median(ours))
    peak = product.multiply_adds / float(np.median(limit)) / 1e9
    numbers: Numbers = dict(ours=median, theirs=None, ratio=None, ratio_spread=None)
    if theirs is not None:
        numbers['theirs'] = float(np.median(theirs))
        numbers['ratio'] = numbers['theirs'] / median
        numbers['ratio_spread'] = np.quantile(theirs / ours, (0.25, 0.75)).tolist()
    return numbers | dict(
        videos_per_second=videos / median,
        gflops_per_video=gflops,
        peak_gflops=peak,
        share_of_peak=gflops and gflops * videos / median / peak,
    )


def measure_memory(runs: Sequence[Run], device: torch.device) -> Numbers:
    """Return the 10^6 bytes that runs add at their peak.

    Args:
        runs: Ours, then possibly the reference's.
        device: Whose memory it is.

    Returns:
        dict: ``ours``, ``theirs`` and ``ratio``, ours to theirs; None if not known.
    """
    added = []
    for run in runs:
        run()  # what stays, as the optimizer's state, is not of a run
        added.append(added_memory(run, device) / 1e6)
    ours, theirs = added[0], added[1] if len(added) > 1 else None
    return dict(ours=ours, theirs=theirs, ratio=ours / theirs if theirs else None)


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
    ours: Ours,
    reference: HuggingFace | Exact | PyTorch,
    draw: Callable[[], Tensor],
    num_videos: int,
) -> Numbers:
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
    exact = ours.exact and reference.exact
    tolerance = 1e-4 * max(1.0, b.abs().max().item())
    # Ours may approximate itself.
    if isinstance(reference, HuggingFace) and exact and difference.max() > tolerance:
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
