"""Sizes of the released CLIP models.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (build_model)
"""

from collections.abc import Mapping

from mmxclip.models.checks import check_count

Arch = dict[str, int]

VISION_ARCHS: dict[str, Arch] = {
    'b/32': dict(
        img_size=224,
        patch_size=32,
        embed_dims=768,
        depth=12,
        num_heads=12,
        out_dims=512,
    ),
    'b/16': dict(
        img_size=224,
        patch_size=16,
        embed_dims=768,
        depth=12,
        num_heads=12,
        out_dims=512,
    ),
    'l/14': dict(
        img_size=224,
        patch_size=14,
        embed_dims=1024,
        depth=24,
        num_heads=16,
        out_dims=768,
    ),
    'l/14@336': dict(
        img_size=336,
        patch_size=14,
        embed_dims=1024,
        depth=24,
        num_heads=16,
        out_dims=768,
    ),
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


def resolve_arch(arch: str | Mapping[str, int], zoo: Mapping[str, Arch]) -> Arch:
    """Return the sizes of an architecture.

    Args:
        arch: A name of ``zoo`` (any case), or a mapping with exactly the keys that
            the entries of ``zoo`` have.
        zoo: Known architectures by name.

    Raises:
        ValueError: The name is unknown, keys are missing or unknown, or a size is no
            positive integer.
    """
    if isinstance(arch, str):
        if arch.lower() not in zoo:
            raise ValueError(
                f'arch={arch!r} is unknown. Choose one of {sorted(zoo)} or give a '
                f'dict with the keys {sorted(next(iter(zoo.values())))}.'
            )
        return dict(zoo[arch.lower()])
    wanted = set(next(iter(zoo.values())))
    if not isinstance(arch, Mapping):
        raise ValueError(
            f'arch must be one of {sorted(zoo)} or a dict with the keys '
            f'{sorted(wanted)}, got {arch!r}.'
        )
    if set(arch) != wanted:
        raise ValueError(
            f'arch={dict(arch)!r} must have exactly the keys {sorted(wanted)}; '
            f'missing: {sorted(wanted - set(arch))}, '
            f'unknown: {sorted(set(arch) - wanted)}.'
        )
    for name, value in arch.items():
        check_count(f'arch.{name}', value)
    return dict(arch)
