"""What a checkpoint says about how sure its model may be."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import kept_meta, write
from mmxclip.text import Classes

_SCALE = 'cls_head.logit_scale'


@dataclass(frozen=True)
class Calibration:
    """How scores were calibrated, for one list of classes.

    Attributes:
        classes: Names and texts.
        temperature: By which logits were divided; it is in the weights already.
        threshold: Probability below which a video is none of the classes, if any.
        false_positive_rate: Share of videos of none of them that reach it.
    """

    classes: Classes
    temperature: float
    threshold: float | None = None
    false_positive_rate: float | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> 'Calibration | None':
        """Return what a file says besides its tensors, or None if it says nothing."""
        meta = content.get('meta')
        said = meta.get('calibration') if isinstance(meta, Mapping) else None
        if not isinstance(said, Mapping):
            return None
        try:
            found = cls(**said)
            threshold = found.threshold
            if threshold is not None and not 0 < threshold <= 1:
                raise ValueError(f'threshold is {threshold}, but must be in (0, 1]')
            return replace(found, classes=Classes.of(found.classes))
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f'its calibration is not what tools/calibrate.py writes: {error}'
            ) from error

    def plain(self) -> dict[str, Any]:
        """Return what :meth:`of` reads."""
        return vars(self) | dict(classes=self.classes.plain())


def write_calibrated(
    path: str | os.PathLike,
    opened: Opened,
    calibration: Calibration,
    *,
    force: bool = False,
) -> None:
    """Write weights whose logits are divided by a temperature.

    Args:
        path: The file to write.
        opened: A recognizer with our head.
        calibration: What to keep beside them.
        force: Replace ``path``.

    Raises:
        CheckpointError: The weights are of another model.
        OSError: The file cannot be written, or is there already.
    """
    tensors, report, _ = convert(opened)
    if _SCALE not in tensors:
        raise CheckpointError(f'{opened.name} has no {_SCALE} to hold a temperature')
    scale = tensors[_SCALE].float() - math.log(calibration.temperature)
    meta = kept_meta(opened, report) | dict(calibration=calibration.plain())
    write(path, {**tensors, _SCALE: scale}, extras=dict(meta=meta), force=force)
