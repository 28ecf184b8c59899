"""Parameters and work of the model of a config, without its memory."""

import torch
from mmaction.registry import MODELS

from mmxclip.benchmarks.flops import count_multiply_adds


def build_parts(model):
    """Build backbone, neck, text tower and prompt of a config's model."""
    head = model.cls_head
    parts = (model.backbone, model.neck, head.text_encoder, head.prompt)
    with torch.device('meta'):
        return [MODELS.build(part) for part in parts]


def count_parameters(parts):
    """Count those of the parts, and the scale of the logits."""
    return 1 + sum(p.numel() for part in parts for p in part.parameters())


def count_work(parts, num_frames, side):
    """Count the multiply-adds of one view and one class name, of the tower's length."""
    backbone, neck, text_encoder, prompt = parts
    with torch.device('meta'):
        video = torch.empty(1, 3, num_frames, side, side)
        tokens = torch.zeros(1, text_encoder.context_length, dtype=torch.long)

    def score():
        (embed, patch_tokens), _ = neck(backbone(video))
        context = prompt.prepare_context(patch_tokens)
        return prompt(text_encoder(tokens), context) @ embed.unsqueeze(-1)

    return count_multiply_adds(score)
