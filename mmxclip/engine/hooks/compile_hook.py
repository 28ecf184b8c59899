"""Compilation of the parts that compute."""

from collections.abc import Callable
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

PARTS = ('backbone', 'neck', 'cls_head.prompt')


def compile_parts(model: nn.Module, **options: Any) -> None:
    """Compile backbone, neck and prompt learner of a recognizer, each as one graph.

    What lies between, such as the data preprocessor and the cache of class features,
    works on Python objects and stays as it is. Numbers of videos and of classes are
    free from the start, so that neither the last batch nor another class list compiles
    anything again; only 1 of either is a case of its own.

    Args:
        model: Recognizer; is changed. Parameters keep their names.
        **options: Arguments of ``torch.compile``, e.g. ``mode='max-autotune'``.
    """
    for part in PARTS:
        module: Any = model
        for name in part.split('.'):
            module = getattr(module, name, None)
        if module is not None:
            module.compile(**options)
            # Where torch puts it, which neither copies nor pickles take along.
            module._compiled_call_impl = _with_free_batch(module._compiled_call_impl)


def _with_free_batch(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        _free_batch(args)
        return function(*args, **kwargs)

    return call


def _free_batch(node: Any) -> None:
    if isinstance(node, Tensor) and node.ndim:
        torch._dynamo.maybe_mark_dynamic(node, 0)
    elif isinstance(node, tuple):
        for child in node:
            _free_batch(child)


@HOOKS.register_module()
class CompileHook(Hook):
    """Compile the parts that compute, in training and in testing.

    MMEngine's own ``compile=True`` compiles whole training steps, data samples
    included, and starts again for every new kind of sample.

    Args:
        **options: Arguments of ``torch.compile``.
    """

    priority = 'VERY_LOW'  # behind EMAHook, which copies the model

    def __init__(self, **options: Any) -> None:
        self.options = options
        self._compiled = False

    def before_run(self, runner: Runner) -> None:
        """Compile, once: what has trained may be tested next."""
        if self._compiled:
            return
        self._compiled = True
        model = runner.model
        compile_parts(
            model.module if is_model_wrapper(model) else model, **self.options
        )
