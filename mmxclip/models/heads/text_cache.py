"""Class features that are computed once."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor


class TextCache:
    """Keep class features until the texts or the weights that made them change.

    A weight counts as changed when it is another tensor, of another type or device, or
    written into. Of writing into ``weight.data``, and into weights that were made in
    inference mode, torch tells nothing: :meth:`clear` is for that. Copies start empty.
    """

    def __init__(self) -> None:
        self._entry: tuple[Tensor, tuple, Tensor] | None = None

    def __reduce__(self) -> tuple:
        return TextCache, ()

    def get(
        self,
        tokens: Tensor,
        weights: Iterable[nn.Parameter],
        encode: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Return ``encode(tokens)``, if possible from the last time.

        Args:
            tokens: Token ids of the texts.
            weights: All that the features depend on beside them.
            encode: Computes the features, without gradients here.
        """
        state = tuple(
            (id(p), p.dtype, p.device, None if p.is_inference() else p._version)
            for p in weights
        )
        entry = self._entry  # read once, as another thread may replace it
        if entry is not None and entry[0] is tokens and entry[1] == state:
            return entry[2]
        with torch.inference_mode(False), torch.no_grad():
            features = encode(tokens)
        if not isinstance(features, FakeTensor):  # while a graph is exported
            self._entry = tokens, state, features
        return features

    def clear(self) -> None:
        """Forget the features."""
        self._entry = None
