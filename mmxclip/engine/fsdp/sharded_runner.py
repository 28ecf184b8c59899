"""The runner of models that are spread over processes."""

from typing import Any

from mmaction.registry import RUNNERS
from mmengine.runner import FlexibleRunner


@RUNNERS.register_module()
class ShardedRunner(FlexibleRunner):
    """MMEngine's ``FlexibleRunner``, whose checkpoints know their epoch.

    When validation finds a best model, the last checkpoint is saved again, with the
    epoch counted already. ``FlexibleRunner`` counts it a second time there, and
    resuming from such a checkpoint would leave out an epoch.
    """

    def save_checkpoint(
        self,
        *args: Any,
        meta: dict[str, Any] | None = None,
        by_epoch: bool = True,
        **kwargs: Any,
    ) -> None:
        """Save a checkpoint; arguments are those of ``FlexibleRunner``."""
        counted = by_epoch and (meta or {}).get('epoch') == self.epoch
        self.train_loop._epoch -= counted
        try:
            super().save_checkpoint(*args, meta=meta, by_epoch=by_epoch, **kwargs)
        finally:
            self.train_loop._epoch += counted
