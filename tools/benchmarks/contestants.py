"""Who runs: a recognizer of a config, and what its X-CLIP is compared with.

Every contestant offers the same cases as functions without arguments, on the same
videos, with the same weights.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from benchmarks.plain_xclip import PlainXCLIP
from mmxclip.convert import from_mmxclip, make_config, measure, mmxclip_to_official

DTYPES = ('float32', 'bfloat16', 'float16', 'autocast')
Cases = dict[str, Callable[[], Any]]


class Contestant:
    """Common part: precision, and a step of training.

    Args:
        model: Has its weights and is on its device.
        dtype: ``'float32'``, ``'bfloat16'`` or ``'float16'`` (weights and
            activations), or ``'autocast'`` (float32 weights, bfloat16 products).
    """

    def __init__(self, model: nn.Module, dtype: str) -> None:
        self.device = next(model.parameters()).device
        self.autocast = dtype == 'autocast'
        self.dtype = torch.float32 if self.autocast else getattr(torch, dtype)
        self.model = model.to(self.dtype)
        self.optimizer: torch.optim.Optimizer | None = None

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

        def run() -> None:
            self._switch(training=True)
            if self.optimizer is None:
                trained = [p for p in self.model.parameters() if p.requires_grad]
                self.optimizer = torch.optim.AdamW(trained, lr=1e-6, fused=True)
            with self.precision():
                value = loss()
            value.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()

        return run

    def _switch(self, *, training: bool) -> None:
        """Change the mode only where it differs: our head then forgets class texts."""
        if self.model.training != training:
            self.model.train(training)

    def forget_training(self) -> None:
        """Free what the optimizer keeps."""
        self.optimizer = None


class Ours(Contestant):
    """A recognizer, X-CLIP or any other.

    Args:
        model: The recognizer.
        batch: Inputs as the data preprocessor gives them, and one label per video.
        dtype: See :class:`Contestant`.
    """

    name = 'ours'

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
        return self.infer(lambda: self._forward(inputs, 'head'))()

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
        if hasattr(head, 'cached_text'):
            cases['head-texts'] = self.infer(lambda: self._forget_texts()(feats))
            cases['as-shipped'] = cases['model']
        return cases

    def _forward(self, inputs: Tensor, stage: str) -> Any:
        return self.model.extract_feat(inputs, stage=stage)[0]

    def _forget_texts(self) -> nn.Module:
        self.model.cls_head.cached_text = None
        return self.model.cls_head

    def _loss(self) -> Tensor:
        losses = self.model.loss(self.inputs, self.samples)
        return self.model.parse_losses(losses)[0]


class Reference(Contestant):
    """Another implementation of X-CLIP, with the weights of ours.

    Args:
        model: It.
        ours: Whose videos and class texts are used.
        dtype: See :class:`Contestant`.
    """

    name: str

    def __init__(self, model: nn.Module, ours: Ours, dtype: str) -> None:
        _require_common_heads(ours.model)
        super().__init__(model.to(ours.device), dtype)
        self.labels = torch.stack([s.gt_label for s in ours.samples]).flatten()
        self.frames = self.arrange(ours.inputs)
        head = ours.model.cls_head
        self.tokens = head.class_tokens[0]
        self.text = ours.infer(head.text_features)()[0].clone().to(self.dtype)

    def arrange(self, inputs: Tensor) -> Tensor:
        """Bring (N, 1, 3, T, H, W) into the order (N, T, 3, H, W)."""
        return inputs.flatten(0, 1).transpose(1, 2).contiguous().to(self.dtype)

    def logits(self, inputs: Tensor) -> Tensor:
        """Score preprocessed videos."""
        return self.infer(lambda: self.score(self.arrange(inputs)))()

    def score(self, frames: Tensor) -> Tensor:
        """Score with class features that are known."""
        raise NotImplementedError

    def cases(self) -> Cases:
        """Return the cases; class features are known in training, too."""
        return {
            'model': self.infer(lambda: self.score(self.frames)),
            'train-step': self.train_step(
                lambda: F.cross_entropy(self.score(self.frames).float(), self.labels)
            ),
        }


def _require_common_heads(model: nn.Module) -> None:
    """Raise a ValueError unless attention heads are 64 wide, as CLIP's are."""
    for name, module in model.named_modules():
        out = getattr(module, 'out_proj', None)
        if out is not None and out.in_features != 64 * module.num_heads:
            raise ValueError(
                f'{name} has {module.num_heads} heads for {out.in_features} channels. '
                'The implementations to compare with have heads of 64 channels.'
            )


class HuggingFace(Reference):
    """Hugging Face's ``XCLIPModel`` with its fused attention."""

    name = 'huggingface'

    def __init__(self, ours: Ours, dtype: str) -> None:
        from transformers import XCLIPConfig, XCLIPModel  # noqa: PLC0415 (optional)

        weights = ours.model.state_dict()
        config = XCLIPConfig(
            **make_config(measure(weights)), attn_implementation='sdpa'
        )
        model = XCLIPModel(config)
        model.load_state_dict(from_mmxclip(weights, 'huggingface')[0])
        super().__init__(model, ours, dtype)
        for name, p in self.model.named_parameters():
            if name.startswith('text_') or name == 'logit_scale':
                p.requires_grad_(False)

    def score(self, frames: Tensor) -> Tensor:
        """Run their forward pass with a text tower that knows the result."""
        tower, projection = self.model.text_model, self.model.text_projection
        self.model.text_model = _Known(self.text)
        self.model.text_projection = nn.Identity()
        try:
            output = self.model(input_ids=self.tokens, pixel_values=frames)
        finally:
            self.model.text_model, self.model.text_projection = tower, projection
        return output.logits_per_video

    def cases(self) -> Cases:
        """Return the cases; 'as-shipped' encodes all texts at every call."""
        return super().cases() | {
            'tower': self.infer(
                lambda: self.model.get_video_features(pixel_values=self.frames)
            ),
            'as-shipped': self.infer(
                lambda: self.model(input_ids=self.tokens, pixel_values=self.frames)
            ),
        }


class _Known(nn.Module):
    def __init__(self, text: Tensor) -> None:
        super().__init__()
        self.text = text

    def forward(self, **kwargs: Any) -> Any:
        return _TextOutput(pooler_output=self.text)


class _TextOutput(SimpleNamespace):
    """What their forward pass reads off the text tower's output: ``[1]``."""

    def __getitem__(self, index: int) -> Tensor:
        return self.pooler_output


class Plain(Reference):
    """The straightforward formulation."""

    name = 'plain'

    def __init__(self, ours: Ours, dtype: str) -> None:
        weights = ours.model.state_dict()
        model = PlainXCLIP(measure(weights), ours.inputs.shape[3])
        model.load_state_dict(mmxclip_to_official(weights))
        super().__init__(model, ours, dtype)
        tower = (
            self.model.transformer,
            self.model.token_embedding,
            self.model.ln_final,
        )
        for module in tower:
            module.requires_grad_(False)
        for name in ('positional_embedding', 'text_projection', 'logit_scale'):
            getattr(self.model, name).requires_grad_(False)

    def score(self, frames: Tensor) -> Tensor:
        """Run the model."""
        return self.model(frames, self.text)

    def cases(self) -> Cases:
        """Return the cases; 'as-shipped' encodes all texts at every call."""
        return super().cases() | {
            'tower': self.infer(lambda: self.model.encode_video(self.frames)),
            'as-shipped': self.infer(
                lambda: self.model(self.frames, self.model.encode_text(self.tokens))
            ),
        }


REFERENCES = {reference.name: reference for reference in (HuggingFace, Plain)}
