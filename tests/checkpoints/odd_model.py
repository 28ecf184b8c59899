"""A model with different numbers everywhere, so that no two can be mixed up."""

import torch

from mmxclip.checkpoints.model_settings import PROMPT, TEXT, Settings, build_parts

ODD = {
    'backbone': dict(
        arch=dict(
            img_size=32,
            patch_size=16,
            embed_dims=64,
            depth=3,
            num_heads=1,
            out_dims=128,
        )
    ),
    'neck': dict(embed_dims=128, num_frames=4, depth=2, num_heads=2),
    TEXT: dict(
        arch=dict(
            embed_dims=192,
            depth=2,
            num_heads=3,
            out_dims=128,
            context_length=77,
            vocab_size=50,
        )
    ),
    PROMPT: dict(embed_dims=128, context_dims=64, depth=1, num_heads=2),
}


def random_weights(settings: Settings) -> dict:
    """Random parameters of a recognizer of these settings."""
    weights = {
        name: 0.1 * torch.randn(p.shape) + float('ln' in name and 'weight' in name)
        for name, p in build_parts(settings).named_parameters()
    }
    return weights | {'cls_head.logit_scale': torch.tensor(3.0)}
