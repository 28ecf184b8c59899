"""Low-rank changes of weights, which can be added to them."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmxclip.checkpoints.layouts import StateDict

_DOWN = re.compile(r'(.*\.)adapters\.\d+\.parts\.([qkv])\.0\.weight')


def merge_lora(tensors: Mapping[str, Tensor]) -> StateDict:
    """Return tensors under our names in which each ``W`` is ``W + B A`` of its LoRAs.

    Args:
        tensors: A state dict; without LoRAs it comes back as it is.
    """
    merged = dict(tensors)
    for down in tensors:
        if match := _DOWN.fullmatch(down):
            up, weight = (
                f'{down.removesuffix("0.weight")}1.weight',
                f'{match[1]}in_proj_weight',
            )
            change = merged.pop(up).double() @ merged.pop(down).double()
            thirds = list(merged[weight].chunk(3))
            third = 'qkv'.index(match[2])
            thirds[third] = (thirds[third].double() + change).to(thirds[third].dtype)
            merged[weight] = torch.cat(thirds)
    return merged
