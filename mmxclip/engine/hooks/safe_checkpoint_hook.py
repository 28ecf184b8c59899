"""Checkpoints of a training that may be killed at any moment."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import gather_object, get_rank, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmxclip.utils.checks import check_count
from mmxclip.utils.files import write_text


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, which loses nothing when training is killed.

    - Files are written beside and renamed: what has its final name is whole.
    - A checkpoint is deleted when the next one is whole, not before.
    - A training that resumes makes up for the validation that was due where it
      stopped: it may have been cut off.
    - Gradients that wait for others (``accumulative_counts``) are kept, too.
    - ``save_best='auto'`` takes the first metric known to be better when greater or
      less, whatever other evaluators report before it.

    Args:
        **kwargs: As for ``CheckpointHook``. The default of ``backend_args`` is
            ``dict(backend='whole_files')`` where checkpoints are local files.

    Raises:
        TypeError: An argument that nobody reads.
        ValueError: ``interval`` or ``max_keep_ckpts`` is no number.
    """

    backend_args: dict | None
    file_backend: Any
    keep_ckpt_ids: deque[int]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.args:  # MMEngine fails on them when it first saves
            raise TypeError(f'got an unexpected keyword argument {min(self.args)!r}')
        check_count('interval', self.interval, lowest=-1)
        check_count('max_keep_ckpts', self.max_keep_ckpts, lowest=-1)

        self._gradients: list[dict[str, Tensor]] = []  # of each process

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the gradients of a training that is resumed."""
        if runner._resume and not runner._has_loaded:
            self._gradients = (checkpoint.get('meta') or {}).pop('gradients', [])

    def before_train(self, runner: Runner) -> None:
        """Choose how files are written, and make up for a validation."""
        if len(self._gradients) == get_world_size():
            own = self._gradients[get_rank()]
            for name, parameter in _model(runner).named_parameters():
                if name in own:
                    parameter.grad = own[name].to(parameter.device)
        self._gradients = []
        local = '://' not in str(self.out_dir or runner.work_dir)
        if local and self.backend_args is None and self.file_client_args is None:
            self.backend_args = dict(backend='whole_files')
        super().before_train(runner)
        if runner._resume and self.by_epoch and _validation_is_due(runner):
            self.last_ckpt = runner.message_hub.get_info('last_ckpt')
            runner.val_loop.run()

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        """Save, then point there, then delete what is too old."""
        if isinstance(self.file_backend, _LaterRemovals):
            self.file_backend.remove_now()
        kept: list[int] = []
        if self.max_keep_ckpts > 0:
            kept = [*(other for other in self.keep_ckpt_ids if other != step), step]
            # Perhaps one too many, which MMEngine deletes when training resumes.
            runner.message_hub.update_info('keep_ckpt_ids', kept)
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        waiting = {
            name: parameter.grad.cpu()
            for name, parameter in _model(runner).named_parameters()
            if parameter.grad is not None
        }
        if gradients := gather_object(waiting) if waiting else None:
            meta = dict(meta, gradients=gradients)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
        )
        if is_main_process():
            pointer = Path(runner.work_dir, 'last_checkpoint')
            write_text(pointer, self.last_ckpt, overwrite=True)
            for old in kept[: -self.max_keep_ckpts]:
                name = self.filename_tmpl.format(old)
                _remove(
                    self.file_backend, self.file_backend.join_path(self.out_dir, name)
                )

    def _save_best_checkpoint(
        self, runner: Runner, metrics: Mapping[str, float]
    ) -> None:
        """Save the best, then delete the one that was best before."""
        if not self.save_best:  # also where nothing is trained
            return
        if 'auto' in self.key_indicators:
            known = [name for name in metrics if self._has_rule(name)]
            metrics = {name: metrics[name] for name in known} | dict(metrics)
        backend, later = self.file_backend, _LaterRemovals(self.file_backend)
        self.file_backend = later
        super()._save_best_checkpoint(runner, metrics)
        later.remove_now()
        self.file_backend = backend

    def _has_rule(self, metric: str) -> bool:
        known = [*self.greater_keys, *self.less_keys]
        return any(key.lower() in metric.lower() for key in known)


class _LaterRemovals:
    """Storage that removes nothing before it is told to."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._outdated: list[str] = []

    def remove(self, path: str) -> None:
        self._outdated.append(path)

    rmtree = remove

    def remove_now(self) -> None:
        while self._outdated:
            _remove(self._backend, self._outdated.pop())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def _model(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _remove(backend: Any, path: str) -> None:
    """Delete a checkpoint, which for DeepSpeed is a folder."""
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):
        backend.rmtree(path)


def _validation_is_due(runner: Runner) -> bool:
    loop = runner.train_loop
    if runner.val_loop is None or not isinstance(loop, EpochBasedTrainLoop):
        return False
    at_end = loop.epoch == loop.max_epochs or loop.epoch % loop.val_interval == 0
    return loop.epoch >= max(loop.val_begin, 1) and at_end
