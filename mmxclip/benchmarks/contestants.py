"""Who runs: a recognizer of a config.

Every contestant offers the same cases as functions without arguments, on the same
videos, with the same weights.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

DTYPES = ('float32', 'bfloat16', 'float16', 'autocast')
Cases = dict[str, Callable[[], Any]]


class Contestant:
    """Common part: precision, and a step of training.

    Args:
        model: Has its weights and is on its device.
        dtype: ``'float32'``, ``'bfloat16'`` or ``'float16'`` (weights and
            activations), or ``'autocast'`` (float32 weights, bfloat16 products).

    Attributes:
        exact: Whether it computes in float32 throughout.
    """

    def __init__(self, model: nn.Module, dtype: str) -> None:
        self.device = next(model.parameters()).device
        self.autocast = dtype == 'autocast'
        self.exact = dtype == 'float32'
        self.dtype = torch.float32 if self.autocast else getattr(torch, dtype)
        self.model = model.to(self.dtype)

    def precision(self) -> AbstractContextManager:
        """Return the context in which the forward pass runs."""
        if not self.autocast:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def infer(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Return a function that runs in evaluation mode, without gradients."""

        def run() -> Any:
            self._switch(training=False)
            with torch.inference_mode(), self.precision():
                return function()

        return run

    def train_step(self, loss: Callable[[], Tensor]) -> Callable[[], Any]:
        """Return a function that runs one step of training with AdamW."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=1e-6, fused=True)

        def run() -> None:
            self._switch(training=True)
            with self.precision():
                value = loss()
            value.backward()
            optimizer.step()
            optimizer.zero_grad()

        return run

    def _switch(self, *, training: bool) -> None:
        """Change the mode only where it differs: in testing, our head forgets texts."""
        if self.model.training != training:
            self.model.train(training)


class Ours(Contestant):
    """A recognizer, X-CLIP or any other.

    Args:
        model: The recognizer.
        batch: Inputs as the data preprocessor gives them, and one label per video.
        dtype: See :class:`Contestant`.
    """

    def __init__(
        self, model: nn.Module, batch: tuple[Tensor, Tensor], dtype: str
    ) -> None:
        super().__init__(model, dtype)
        self.inputs, labels = batch[0].to(self.dtype), batch[1]
        self.samples = [ActionDataSample().set_gt_label(int(x)) for x in labels]
        for sample in self.samples:
            sample.gt_label = sample.gt_label.to(self.device)

    def logits(self, inputs: Tensor) -> Tensor:
        """Score preprocessed videos."""
        return self.infer(lambda: self._forward(inputs.to(self.dtype), 'head'))()

    def cases(self) -> Cases:
        """Return the cases."""
        stage = 'neck' if self.model.with_neck else 'backbone'
        feats, extra = self.infer(
            lambda: self.model.extract_feat(self.inputs, stage=stage)
        )()
        head = self.model.cls_head
        cases = {
            'tower': self.infer(lambda: self._forward(self.inputs, stage)),
            'head': self.infer(lambda: head(feats, **extra)),
            'model': self.infer(lambda: self._forward(self.inputs, 'head')),
            'train-step': self.train_step(self._loss),
        }
        if hasattr(head, 'texts'):
            cases['head-texts'] = self.infer(lambda: self._forget_texts()(feats))
            cases['as-shipped'] = cases['model']
        return cases

    def _forward(self, inputs: Tensor, stage: str) -> Any:
        return self.model.extract_feat(inputs, stage=stage)[0]

    def _forget_texts(self) -> nn.Module:
        self.model.cls_head.texts.forget()
        return self.model.cls_head

    def _loss(self) -> Tensor:
        losses = self.model.loss(self.inputs, self.samples)
        return self.model.parse_losses(losses)[0]
