"""What a recognizer is compared with: other implementations, or itself in full."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmxclip.benchmarks.contestants import Cases, Contestant, Ours
from mmxclip.benchmarks.preparation import build_model
from mmxclip.checkpoints.huggingface_config import make_config
from mmxclip.checkpoints.model_settings import read_settings
from mmxclip.checkpoints.save import export


class HuggingFace(Contestant):
    """Hugging Face's ``XCLIPModel`` with its fused attention, with our weights.

    Args:
        ours: Whose weights, videos and class texts are used.
        dtype: See :class:`Contestant`.

    Raises:
        ValueError: The attention heads are not 64 wide, as CLIP's and theirs are.
    """

    def __init__(self, ours: Ours, dtype: str) -> None:
        from transformers import XCLIPConfig, XCLIPModel  # noqa: PLC0415 (optional)

        _require_common_heads(ours.model)
        weights = ours.model.state_dict()
        config = make_config(read_settings(weights))
        model = XCLIPModel(XCLIPConfig(**config, attn_implementation='sdpa'))
        model.load_state_dict(export(weights, 'huggingface')[0])
        for name, p in model.named_parameters():
            if name.startswith('text_') or name == 'logit_scale':
                p.requires_grad_(False)
        super().__init__(model.to(ours.device), dtype)
        self.labels = torch.stack([s.gt_label for s in ours.samples]).flatten()
        self.frames = self._arrange(ours.inputs)
        head = ours.model.cls_head
        self.tokens = head.texts.tokens[0]
        self.text = _Known(ours.infer(head.text_features)()[0].clone().to(self.dtype))

    def _arrange(self, inputs: Tensor) -> Tensor:
        """Bring (N, 1, 3, T, H, W) into the order (N, T, 3, H, W)."""
        return inputs.flatten(0, 1).transpose(1, 2).contiguous().to(self.dtype)

    def logits(self, inputs: Tensor) -> Tensor:
        """Score preprocessed videos."""
        return self.infer(lambda: self._score(self._arrange(inputs)))()

    def cases(self) -> Cases:
        """Return the cases; 'as-shipped' encodes all texts at every call."""
        videos = self.frames
        return {
            'tower': self.infer(
                lambda: self.model.get_video_features(pixel_values=videos)
            ),
            'model': self.infer(lambda: self._score(videos)),
            'as-shipped': self.infer(
                lambda: self.model(input_ids=self.tokens, pixel_values=videos)
            ),
            'train-step': self.train_step(
                lambda: F.cross_entropy(self._score(videos).float(), self.labels)
            ),
        }

    def _score(self, frames: Tensor) -> Tensor:
        """Run their forward pass with a text tower that knows the result."""
        tower, projection = self.model.text_model, self.model.text_projection
        self.model.text_model, self.model.text_projection = self.text, nn.Identity()
        try:
            output = self.model(input_ids=self.tokens, pixel_values=frames)
        finally:
            self.model.text_model, self.model.text_projection = tower, projection
        return output.logits_per_video


class _Known(nn.Module):
    def __init__(self, text: Tensor) -> None:
        super().__init__()
        self.outputs = (None, text)  # the second is what their model reads

    def forward(self, **kwargs: Any) -> Any:
        return self.outputs


def _require_common_heads(model: nn.Module) -> None:
    for name, module in model.named_modules():
        out = getattr(module, 'out_proj', None)
        if out is not None and out.in_features != 64 * module.num_heads:
            raise ValueError(
                f'{name} has {module.num_heads} heads for {out.in_features} channels. '
                'The implementations to compare with have heads of 64 channels.'
            )


# Approximation: what it approximates, and its own option.
APPROXIMATIONS = {
    'TokenMergingXCLIPViT': ('XCLIPViT', 'merge_tokens'),
    'BestPromptedHead': ('XCLIPHead', 'prompt_best'),
}


class Exact(Ours):
    """The same recognizer without what it approximates."""

    def __init__(self, ours: Ours, dtype: str) -> None:
        cfg = copy.deepcopy(ours.model.cfg)
        parts = (cfg.model.backbone, cfg.model.cls_head)
        approximate = [part for part in parts if part.type in APPROXIMATIONS]
        if not approximate:
            raise ValueError(
                'Nothing is approximated in this config. Use --cfg-options '
                'model.backbone.type=TokenMergingXCLIPViT or '
                'model.cls_head.type=BestPromptedHead.'
            )
        for part in approximate:
            part.type, option = APPROXIMATIONS[part.type]
            part.pop(option, None)
        model = build_model(cfg, ours.device)
        model.load_state_dict(ours.model.state_dict())
        model.train(ours.model.training)
        labels = torch.cat([sample.gt_label for sample in ours.samples])
        super().__init__(model, (ours.inputs, labels), dtype)


class PyTorch(Ours):
    """The same recognizer in float32 by PyTorch, for other engines and precisions."""

    def __init__(self, ours: Ours, dtype: str) -> None:
        labels = torch.cat([sample.gt_label for sample in ours.samples])
        model = copy.deepcopy(ours.model)
        super().__init__(model, (ours.inputs, labels), 'float32')


REFERENCES: dict[str, type[HuggingFace | Exact | PyTorch]] = dict(
    huggingface=HuggingFace, exact=Exact, torch=PyTorch
)
