"""The runner of models that are spread over processes."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from mmaction.registry import RUNNERS
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.runner import FlexibleRunner

from mmxclip.checkpoints.host import address
from mmxclip.utils.files import atomic


@RUNNERS.register_module()
class ShardedRunner(FlexibleRunner):
    """MMEngine's ``FlexibleRunner``, whose checkpoints are whole and know their epoch.

    Strategies write the file or folder of a checkpoint themselves; where it is local,
    they write beside it, and it gets its name when all processes are done.

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
        out_dir: str,
        filename: str,
        *args: Any,
        meta: dict[str, Any] | None = None,
        by_epoch: bool = True,
        **kwargs: Any,
    ) -> None:
        """Save a checkpoint; arguments are those of ``FlexibleRunner``."""
        counted = by_epoch and (meta or {}).get('epoch') == self.epoch
        self.train_loop._epoch -= counted
        kwargs |= dict(meta=meta, by_epoch=by_epoch)
        try:
            if '://' in out_dir:
                super().save_checkpoint(out_dir, filename, *args, **kwargs)
                return
            with _atomic_for_all(Path(out_dir, filename)) as new:
                super().save_checkpoint(str(new.parent), new.name, *args, **kwargs)
        finally:
            self.train_loop._epoch += counted


@contextmanager
def _atomic_for_all(path: Path) -> Iterator[Path]:
    """As :func:`.atomic`, for processes that write a file or folder together."""
    with atomic(path) if is_main_process() else nullcontext(path) as new:
        place = [new]
        broadcast_object_list(place)
        yield place[0]
        barrier()
