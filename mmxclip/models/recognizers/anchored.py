"""A recognizer that knows where its training started."""

import copy
import functools
import os
from typing import Any

import torch
from mmaction.models import Recognizer3D
from mmaction.registry import MODELS
from torch import nn

from mmxclip.checkpoints.load import load
from mmxclip.models.freezing import freeze


class AnchoredRecognizer(Recognizer3D):
    """A ``Recognizer3D`` that is held to its start in training.

    It is tested as a ``Recognizer3D``, and its checkpoints fit one.

    Args:
        start: Checkpoint of the start, of any kind, which must bring every parameter
            but those of adapters. Default: what ``init_cfg`` of the parts loads, such
            as a CLIP; parts that it does not bring are random in the start, too.
        **kwargs: Of ``Recognizer3D``, with an :class:`XCLIPHead`.
    """

    def __init__(
        self, *, start: str | os.PathLike | None = None, **kwargs: Any
    ) -> None:
        parts = copy.deepcopy(kwargs)
        super().__init__(**kwargs)
        self._start = start
        for tower in (parts['backbone'], parts['cls_head']['text_encoder']):
            tower.pop('adapters', None)
        self._parts = parts

    @functools.cached_property
    def start(self) -> nn.Module:
        """The model at the start, built when it is asked for first.

        It is none of this one's modules: neither trained nor saved.

        Raises:
            CheckpointError: ``start`` is of another model.
        """
        with torch.random.fork_rng(
            devices=[]
        ):  # so that resuming draws as going on does
            model = MODELS.build(dict(self._parts, type='Recognizer3D'))
            if self._start:
                load(model, self._start)
            else:
                model.init_weights()
        freeze(model)
        return model.to(next(self.parameters()).device).eval()
