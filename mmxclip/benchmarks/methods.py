"""Train and test recognizers under one budget and measure them."""

import copy
import resource
from collections.abc import Mapping
from statistics import harmonic_mean
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner, TestLoop
from torch import Tensor, nn

from mmxclip.benchmarks.flops import count_multiply_adds
from mmxclip.benchmarks.timing import Stopwatch

LOADERS = ('train_dataloader', 'test_dataloader')


def fit_to_budget(
    cfg: Config,
    budget: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Put a config's model on the budget's data and schedule, at the budget's size.

    Args:
        cfg: Config of a method; it stays as it is.
        budget: Settings that replace the config's own, such as loaders, optimizer
            and schedule. Of the config's pipelines, only how clips are shaped for
            the model (``FormatShape``) is kept.
        parts: For registered types, arguments that replace those in the model. The
            key 'cls_head' is for heads of every type.
        options: Last changes, as ``--cfg-options``: dotted names to values.

    Returns:
        Config: What a Runner takes.
    """
    fitted = copy.deepcopy(cfg)
    steps = cfg.test_dataloader.dataset.pipeline
    shapes = [step for step in steps if step.type == 'FormatShape']
    for key, value in budget.items():
        fitted[key] = copy.deepcopy(value)
    for loader in LOADERS:
        for step in fitted[loader].dataset.pipeline:
            if step.type == 'FormatShape' and shapes:
                step.input_format = shapes[-1].input_format
    _replace_arguments(fitted.model, parts)
    head = fitted.model.cls_head
    given = parts.get('cls_head', {})
    names = ('classes',) if 'classes' in head else ('num_classes',)
    head.update({name: given[name] for name in names if name in given})
    # A copy, since MMEngine takes _delete_ out of what it merges.
    fitted.merge_from_dict(copy.deepcopy(dict(options or {})))
    return fitted


def _replace_arguments(node: Any, parts: Mapping[str, Mapping[str, Any]]) -> None:
    if isinstance(node, (list, tuple)):
        for child in node:
            _replace_arguments(child, parts)
    elif isinstance(node, ConfigDict):
        arguments = parts.get(node.get('type', ''), {})
        for child in [value for key, value in node.items() if key not in arguments]:
            _replace_arguments(child, parts)
        node.update(copy.deepcopy(dict(arguments)))


def measure(cfg: Config) -> dict[str, float]:
    """Train and test once.

    Returns:
        dict: ``top1`` (0 to 1), ``params`` and ``trained`` (numbers of parameters),
        ``gmacs_video`` and ``gmacs_head`` (10^9 multiply-adds of one view; the head
        for all classes, its texts cached), ``train_clips_per_s``,
        ``test_clips_per_s``, ``memory_mb`` (peak that the run added: GPU memory
        where there is one, else resident memory), ``step_seconds`` (of training),
        ``seconds`` (training and testing), and what :func:`test_more` returns. On a
        CPU, times are processor time of this process.
    """
    gpu = torch.cuda.is_available()
    stopwatch = Stopwatch(
        torch.device('cuda' if gpu else 'cpu'), 'wall' if gpu else 'cpu'
    )
    before = 0 if gpu else _peak_memory()
    runner = Runner.from_cfg(cfg)
    train_seconds = stopwatch(runner.train)
    metrics: dict[str, float] = {}
    test_seconds = stopwatch(lambda: metrics.update(runner.test()))
    memory = _peak_memory() - before
    model = runner.model
    clips = len(runner.train_dataloader.dataset) * runner.max_epochs
    top1 = next(value for name, value in metrics.items() if 'top1' in name)
    more = test_more(runner, cfg)
    if 'novel/acc/top1' in more:
        more['harmonic_mean'] = harmonic_mean([float(top1), more['novel/acc/top1']])
    return dict(
        top1=float(top1),
        **more,
        **count_parameters(model),
        **count_view(model, runner.test_dataloader.dataset[0]['inputs']),
        train_clips_per_s=clips / train_seconds,
        test_clips_per_s=len(runner.test_dataloader.dataset) / test_seconds,
        memory_mb=memory / 2**20,
        step_seconds=train_seconds / runner.max_iters,
        seconds=train_seconds + test_seconds,
    )


def test_more(runner: Runner, cfg: Config) -> dict[str, float]:
    """Test a trained model on other classes and videos.

    Args:
        runner: What trained it; its head has other classes afterwards.
        cfg: Its config. ``tests`` has, by name, dicts with ``classes``, ``ann_file``
            and ``evaluator``; all else is as in the config's own test.

    Returns:
        dict: All metrics, as ``<name>/<metric>``.
    """
    found: dict[str, float] = {}
    for name, test in (cfg.get('tests') or {}).items():
        runner.model.cls_head.set_classes(test.classes)
        loader = copy.deepcopy(cfg.test_dataloader)
        loader.dataset.ann_file = test.ann_file
        metrics = TestLoop(runner, loader, test.evaluator).run()
        found |= {f'{name}/{metric}': float(x) for metric, x in metrics.items()}
    return found


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Return the numbers of all and of trained parameters."""
    parameters = list(model.parameters())
    return dict(
        params=sum(p.numel() for p in parameters),
        trained=sum(p.numel() for p in parameters if p.requires_grad),
    )


def count_view(model: nn.Module, inputs: Tensor) -> dict[str, float]:
    """Return 10^9 multiply-adds of the video tower and of the head for one view.

    Args:
        model: A recognizer.
        inputs: One video as its pipeline packs it: (views, 3, T, H, W), of which the
            first is taken, or all frames (T, 3, H, W).
    """
    model = model.eval()
    view = inputs[:1] if inputs.ndim == 5 else inputs
    device = next(model.parameters()).device
    batch = dict(inputs=[view.to(device)], data_samples=None)
    batch = model.data_preprocessor(batch, False)
    clip = batch['inputs']

    def run(stage: str) -> int:
        return count_multiply_adds(lambda: model(clip, mode='tensor', stage=stage))

    head = model.cls_head
    whole, tower = run('head'), run('neck' if model.with_neck else 'backbone')
    text = 0
    if hasattr(head, 'text_features'):
        whole = run('head')  # texts of a frozen tower are cached by now
        text = count_multiply_adds(head.text_features)  # others are left out
    return dict(gmacs_video=tower / 1e9, gmacs_head=(whole - tower - text) / 1e9)


def _peak_memory() -> int:
    """Return the peak so far in bytes."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
