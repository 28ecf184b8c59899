"""Weights between those of several checkpoints."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmxclip.checkpoints.adapter_file import open_whole
from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import StateDict
from mmxclip.checkpoints.load import convert
from mmxclip.checkpoints.model_settings import build_parts
from mmxclip.checkpoints.parts import fresh_names
from mmxclip.checkpoints.report import CheckpointError, Report, some
from mmxclip.checkpoints.save import kept_meta, write
from mmxclip.checkpoints.zoo import find


def average_files(
    paths: Sequence[str | os.PathLike], out: str | os.PathLike, *, force: bool = False
) -> None:
    """Write the mean of checkpoints, such as the last epochs of a training.

    Args:
        paths: Checkpoints of one model. Its config is taken from the last one.
        out: The file to write.
        force: Replace it.

    Raises:
        CheckpointError: They are of different models.
        OSError: One cannot be read or written.
    """
    mean: StateDict = {}
    for count, path in enumerate(paths, start=1):
        opened = open_whole(path)
        tensors, report, _ = convert(opened)
        mean = mix(mean, tensors, 1 / count) if mean else tensors
    _write(out, mean, opened, report, force)


@dataclass(frozen=True)
class Interpolation:
    """The line from the model that a fine-tuning started from to what it became.

    Only parameters that CLIP has are mixed: messages, MIT, prompt learner and whatever
    else is declared fresh, or unknown to X-CLIP, has no counterpart in a model that
    did not learn it, and stays as fine-tuned.

    Args:
        start: Weights of the start under our names; a CLIP, or an X-CLIP.
        tuned: Those of the fine-tuned model.
        opened: Its checkpoint.
        report: The account of its conversion.

    References:
        WiSE-FT (https://arxiv.org/abs/2109.01903). Open-VCLIP's PATCHING_RATIO is 1 -
        alpha.
    """

    start: Mapping[str, Tensor]
    tuned: Mapping[str, Tensor]
    opened: Opened
    report: Report

    @classmethod
    def of(cls, start: str | os.PathLike, tuned: str | os.PathLike) -> 'Interpolation':
        """Open both checkpoints.

        Raises:
            CheckpointError: They are of different models.
            OSError: One cannot be read or fetched.
        """
        old, _, _ = convert(open_whole(find(start)))
        opened = open_whole(tuned)
        new, report, settings = convert(opened)
        model = build_parts(settings)
        of_clip = dict(model.named_parameters()).keys() - fresh_names(model)
        missing = [name for name in new if name in of_clip and name not in old]
        if missing:
            raise CheckpointError(
                f'{start} lacks {len(missing)} parameters that CLIP has '
                f'({some(missing)}): it is of another model than {tuned}'
            )
        return cls({n: old[n] for n in new if n in of_clip}, new, opened, report)

    def at(self, alpha: float) -> StateDict:
        """Return the weights at a point: 0 for the start, 1 for the fine-tuned model.

        Raises:
            ValueError: ``alpha`` is not in [0, 1].
        """
        if not 0 <= alpha <= 1:
            raise ValueError(f'alpha must be in [0, 1], got {alpha}')
        tuned = {name: self.tuned[name] for name in self.start}
        return {**self.tuned, **mix(self.start, tuned, alpha)}

    def write(
        self, alpha: float, out: str | os.PathLike, *, force: bool = False
    ) -> None:
        """Write the weights at a point, see :meth:`at`."""
        _write(out, self.at(alpha), self.opened, self.report, force)


def mix(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], weight: float
) -> StateDict:
    """Return ``(1 - weight) * first + weight * second``, in the dtypes of the second.

    Raises:
        CheckpointError: Names or shapes differ.
    """
    wrong = first.keys() ^ second.keys()
    wrong |= {n for n in first if n in second and first[n].shape != second[n].shape}
    if wrong:
        raise CheckpointError(
            f'the checkpoints are of different models: {len(wrong)} parameters differ '
            f'in shape or are in one only ({some(sorted(wrong))})'
        )
    return {
        name: torch.lerp(first[name].double(), tensor.double(), weight).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in second.items()
    }


def _write(
    out: str | os.PathLike,
    tensors: StateDict,
    last: Opened,
    report: Report,
    force: bool,
) -> None:
    meta = kept_meta(last, report)
    meta.pop('calibration', None)  # of other weights
    write(out, tensors, extras=dict(meta=meta), force=force)
