"""The runner of models that are spread over processes."""

from typing import Any

from mmaction.registry import RUNNERS
from mmengine.runner import FlexibleRunner

from mmxclip.checkpoints.host import address


@RUNNERS.register_module()
class ShardedRunner(FlexibleRunner):
    """MMEngine's ``FlexibleRunner``, whose checkpoints know their epoch.

    When validation finds a best model, the last checkpoint is saved again, with the
    epoch counted already. ``FlexibleRunner`` counts it a second time there, and
    resuming from such a checkpoint would leave out an epoch.
    """

    def load_or_resume(self) -> None:
        """Load through us; hooks hear of the run only after this."""
        self._load_from: str | None = address(self._load_from)
        super().load_or_resume()

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
