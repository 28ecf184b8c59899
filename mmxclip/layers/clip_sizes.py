"""Sizes of the released CLIP models.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (build_model)
"""

Arch = dict[str, int]

_BASE = dict(
    img_size=224, patch_size=16, embed_dims=768, depth=12, num_heads=12, out_dims=512
)
_LARGE = dict(
    img_size=224, patch_size=14, embed_dims=1024, depth=24, num_heads=16, out_dims=768
)

VISION_ARCHS: dict[str, Arch] = {
    'b/32': {**_BASE, 'patch_size': 32},
    'b/16': _BASE,
    'l/14': _LARGE,
    'l/14@336': {**_LARGE, 'img_size': 336},
}

_TEXT_BASE = dict(
    embed_dims=512,
    depth=12,
    num_heads=8,
    out_dims=512,
    context_length=77,
    vocab_size=49408,
)
_TEXT_LARGE = {**_TEXT_BASE, 'embed_dims': 768, 'num_heads': 12, 'out_dims': 768}

TEXT_ARCHS: dict[str, Arch] = {
    'b/32': _TEXT_BASE,
    'b/16': _TEXT_BASE,
    'l/14': _TEXT_LARGE,
    'l/14@336': _TEXT_LARGE,
}


def count_heads(embed_dims: int) -> int:
    """Return the heads of CLIP's attention: 64 dimensions each, and at least one."""
    return max(1, embed_dims // 64)
