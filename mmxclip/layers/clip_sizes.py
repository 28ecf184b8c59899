"""Sizes of the released CLIP models.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (build_model)
    https://github.com/mlfoundations/open_clip (model_configs, docs/model_profile.csv)
"""

from typing import Any

Arch = dict[str, Any]

_BASE = dict(
    img_size=224, patch_size=16, embed_dims=768, depth=12, num_heads=12, out_dims=512
)
_LARGE = dict(
    img_size=224, patch_size=14, embed_dims=1024, depth=24, num_heads=16, out_dims=768
)
# As LAION published them; others trained these shapes with QuickGELU.
_HUGE = {
    **_LARGE,
    'embed_dims': 1280,
    'depth': 32,
    'out_dims': 1024,
    'activation': 'gelu',
}
_GIANT = {**_HUGE, 'embed_dims': 1408, 'depth': 40, 'mlp_dims': 6144}

VISION_ARCHS: dict[str, Arch] = {
    'b/32': {**_BASE, 'patch_size': 32},
    'b/16': _BASE,
    'b/16-plus@240': {
        **_BASE,
        'img_size': 240,
        'embed_dims': 896,
        'num_heads': 14,
        'out_dims': 640,
        'activation': 'gelu',
    },
    'l/14': _LARGE,
    'l/14@336': {**_LARGE, 'img_size': 336},
    'h/14': _HUGE,
    'g/14': _GIANT,
    'bigg/14': {
        **_GIANT,
        'embed_dims': 1664,
        'depth': 48,
        'mlp_dims': 8192,
        'out_dims': 1280,
    },
}

_TEXT_BASE = dict(
    embed_dims=512,
    depth=12,
    num_heads=8,
    out_dims=512,
    context_length=77,
    vocab_size=49408,
)


def _text(embed_dims: int, **changes: Any) -> Arch:
    widths = dict(
        embed_dims=embed_dims,
        num_heads=count_heads(embed_dims),
        out_dims=embed_dims,
    )
    return {**_TEXT_BASE, **widths, **changes}


def count_heads(embed_dims: int) -> int:
    """Return the heads of CLIP's attention: 64 dimensions each, and at least one."""
    return max(1, embed_dims // 64)


TEXT_ARCHS: dict[str, Arch] = {
    'b/32': _TEXT_BASE,
    'b/16': _TEXT_BASE,
    'b/16-plus@240': _text(640, activation='gelu'),
    'l/14': _text(768),
    'l/14@336': _text(768),
    'h/14': _text(1024, depth=24, activation='gelu'),
    'g/14': _text(1024, depth=24, activation='gelu'),
    'bigg/14': _text(1280, depth=32, activation='gelu'),
}
