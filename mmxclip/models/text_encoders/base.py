"""The interface of text towers."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from mmxclip.checkpoints.parts import PretrainedPart


class TextEncoder(PretrainedPart, BaseModule):
    """Turns texts into embeddings, in two steps.

    :class:`XCLIPHead` lets :meth:`tokenize` prepare the texts of a class list once, and
    ``forward`` encode them whenever parameters have changed.

    Attributes:
        out_dims: Width E of the embeddings.
        frozen: Whether nothing in it learns, so that embeddings are kept, and it stays
            in evaluation mode.
    """

    slot = 'cls_head.text_encoder.'
    out_dims: int
    frozen: bool = True

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Turn K texts into numbers that ``forward`` reads (K, S), on the CPU.

        Raises:
            ValueError: A text cannot be read; it is named.
        """
        raise NotImplementedError

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode what :meth:`tokenize` gives (K, S) -> (K, E), not normalised."""
        raise NotImplementedError

    def train(self, mode: bool = True) -> 'TextEncoder':
        """Switch to training; a frozen tower stays in evaluation mode."""
        return super().train(mode and not self.frozen)
