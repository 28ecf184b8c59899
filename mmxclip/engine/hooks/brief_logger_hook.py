"""Logs without what nobody reads, written by one process."""

from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import LoggerHook
from mmengine.model import BaseModule, is_model_wrapper
from mmengine.runner import Runner


@HOOKS.register_module()
class BriefLoggerHook(LoggerHook):
    """MMEngine's ``LoggerHook``, with two changes.

    The log has no lines on how each parameter was initialised, 600 of them even for a
    small model; and the file of test results is written by one process, not by all at
    the same time.

    Args:
        **kwargs: As for ``LoggerHook``.
    """

    def before_run(self, runner: Runner) -> None:
        """Leave the account of the initialisation out."""
        super().before_run(runner)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if isinstance(model, BaseModule):
            model._dump_init_info = _say_nothing

    @master_only
    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, Any] | None = None
    ) -> None:
        """Log the results and write them to a file."""
        super().after_test_epoch(runner, metrics)


def _say_nothing() -> None:
    """Stand in for what would dump."""
