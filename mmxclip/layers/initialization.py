"""Initialisation of the parts that CLIP does not bring."""

from torch import nn


def init_linear_layers(module: nn.Module) -> None:
    """Initialise linear layers as X-CLIP's own parts: normal of 0.02, no bias.

    Fused attention projections keep their default, as in the official code, which
    reaches ``nn.Linear`` only.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
