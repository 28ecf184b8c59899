"""Places in a transformer block for what is learned beside its own weights."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn


class Adapter(nn.Module):
    """A branch whose result is added at a place of a block.

    Whoever gives zeros at the start leaves the model as it is there.

    Attributes:
        place: Where it sits; what it reads there, and what its result is added to:

            - ``'before'``: the tokens of all frames (N, T, S, D), before the block; in
              the vision tower only;
            - ``'in_proj'``: normalised tokens (N, S, D); queries, keys and values
              (N, S, 3D) of the attention;
            - ``'heads'``: queries (N, heads, S, D / heads); what they attend to, of the
              same shape;
            - ``'after_attn'``: what the attention gives (N, S, D), which is read, too;
            - ``'mlp'``: normalised tokens (..., S, D); what the MLP gives.
    """

    place: str

    def forward(self, x: Tensor, owner: nn.Module) -> Tensor:
        """Return what is added.

        Args:
            x: What it reads.
            owner: The block, or its attention for ``'in_proj'`` and ``'heads'``.
        """
        raise NotImplementedError


class Adapted(nn.Module):
    """A module with places for adapters.

    Attributes:
        places: Their names.
        adapters: The adapters, none by default.
    """

    fresh_parameters: ClassVar[Sequence[str]] = ('adapters.*',)
    places: ClassVar[Sequence[str]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.adapters = nn.ModuleList()

    def adapted(self, place: str, x: Tensor, out: Tensor) -> Tensor:
        """Add to ``out`` what the adapters of a place make of ``x``."""
        for adapter in self.adapters:
            if adapter.place == place:
                out = out + adapter(x, self)
        return out
