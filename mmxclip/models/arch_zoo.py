"""Architectures as arguments: a name or sizes."""

from collections.abc import Mapping

from mmxclip.layers.clip_sizes import Arch
from mmxclip.utils.checks import check_count


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
