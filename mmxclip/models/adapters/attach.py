"""Adapters into the blocks of a tower, and out of them."""

from collections.abc import Sequence

from mmaction.registry import MODELS
from mmaction.utils import ConfigType
from torch import nn

from mmxclip.checkpoints.lora import merge_lora
from mmxclip.layers import Adapted, Adapter
from mmxclip.models.adapters.lora import LoRA


def add_adapters(
    blocks: Sequence[nn.Module],
    configs: Sequence[ConfigType],
    embed_dims: int,
) -> None:
    """Build adapters and put them into their places, in place.

    Args:
        blocks: The blocks of a tower.
        configs: Of registered classes of :class:`Adapter`, each for all blocks, or for
            the first ``depth`` of them.
        embed_dims: Width D of the tokens.

    Raises:
        ValueError: A config is of something else, or the blocks lack its place.
    """
    for config in configs:
        arguments = {**config, 'embed_dims': embed_dims}
        for block in blocks[: arguments.pop('depth', len(blocks))]:
            adapter = MODELS.build(dict(arguments))
            if not isinstance(adapter, Adapter):
                raise ValueError(
                    f'adapters must be of classes of Adapter, got {config["type"]}.'
                )
            _find_place(block, adapter).adapters.append(adapter)


def _find_place(block: nn.Module, adapter: Adapter) -> Adapted:
    owners = [
        owner
        for owner in (block, getattr(block, 'attn', None))
        if isinstance(owner, Adapted)
    ]
    for owner in owners:
        if adapter.place in owner.places:
            return owner
    raise ValueError(
        f'{type(adapter).__name__} sits at {adapter.place!r}, which '
        f'{type(block).__name__} lacks; it has '
        f'{[place for owner in owners for place in owner.places]}.'
    )


def merge_adapters(model: nn.Module) -> None:
    """Add adapters to the weights of a model, in place, where that is exact."""
    merged = merge_lora(model.state_dict())
    for module in model.modules():
        if isinstance(module, Adapted):
            kept = (a for a in module.adapters if not isinstance(a, LoRA))
            module.adapters = nn.ModuleList(kept)
    model.load_state_dict(merged)
