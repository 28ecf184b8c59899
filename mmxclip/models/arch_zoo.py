"""Architectures as arguments: a name or sizes."""

from collections.abc import Mapping
from typing import Any

from mmxclip.checkpoints.parts import Untraced
from mmxclip.layers.activation import Activation
from mmxclip.layers.clip_sizes import Arch
from mmxclip.utils.checks import check_choice, check_count

_OPTIONAL = {'mlp_dims', 'activation'}


def resolve_arch(
    arch: str | Mapping[str, Any],
    zoo: Mapping[str, Arch],
    activation: Activation | None = None,
) -> Arch:
    """Return the sizes of an architecture.

    Args:
        arch: A name of ``zoo`` (any case), or a mapping with the keys that the entries
            of ``zoo`` have; 'mlp_dims' (default: 4 times 'embed_dims') and 'activation'
            (default: 'quick_gelu') may be absent.
        zoo: Known architectures by name.
        activation: Replaces that of ``arch``.

    Returns:
        All sizes, with 'mlp_dims' and 'activation'.

    Raises:
        ValueError: The name is unknown, keys are missing or unknown, a size is no
            positive integer, or the activation none of `Activation`.
    """
    if not isinstance(arch, Mapping):
        sizes = _named(arch, zoo)
    else:
        sizes = dict(arch)
        wanted = set(next(iter(zoo.values()))) - _OPTIONAL
        if set(arch) - _OPTIONAL != wanted:
            raise ValueError(
                f'arch={sizes!r} must have exactly the keys {sorted(wanted)}, and may '
                f'have {sorted(_OPTIONAL)}; missing: {sorted(wanted - set(arch))}, '
                f'unknown: {sorted(set(arch) - wanted - _OPTIONAL)}.'
            )
    for name, value in sizes.items():
        if name != 'activation':
            check_count(f'arch.{name}', value)
    sizes = {'mlp_dims': 4 * sizes['embed_dims'], 'activation': 'quick_gelu', **sizes}
    sizes['activation'] = activation or sizes['activation']
    check_choice('activation', sizes['activation'], Activation)
    return sizes


def _named(arch: object, zoo: Mapping[str, Arch]) -> Arch:
    if isinstance(arch, str) and arch.lower() in zoo:
        return dict(zoo[arch.lower()])
    raise ValueError(
        f'arch must be one of {sorted(zoo)} or a dict with the keys '
        f'{sorted(next(iter(zoo.values())))}, got {arch!r}.'
    )


def untraced(
    arch: str | Mapping[str, Any], activation: Activation | None, sizes: Arch
) -> Untraced:
    """Return what checkpoints are compared with; arguments as of `resolve_arch`."""
    is_said = bool(activation) or (isinstance(arch, Mapping) and 'activation' in arch)
    return Untraced(sizes['num_heads'], sizes['activation'], is_said)


def unusual_mlp(sizes: Arch) -> Arch:
    """Return 'mlp_dims' and 'activation' where they are not those of OpenAI's CLIP.

    So that blocks of one's own need not know of them.
    """
    usual = {'mlp_dims': 4 * sizes['embed_dims'], 'activation': 'quick_gelu'}
    return {key: sizes[key] for key, value in usual.items() if sizes[key] != value}
