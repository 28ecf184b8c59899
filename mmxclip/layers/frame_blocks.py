"""CLIP's block on videos: every frame for itself, or all tokens together."""

from torch import Tensor

from mmxclip.layers.transformer import ResidualAttentionBlock


class SingleFrameAttentionBlock(ResidualAttentionBlock):
    """CLIP's block on each frame, as if it were an image."""

    places = ('before', *ResidualAttentionBlock.places)

    def forward(self, x: Tensor) -> Tensor:
        """Map the tokens of all frames (N, T, S, D) -> (N, T, S, D)."""
        x = self.adapted('before', x, x)
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class JointAttentionBlock(ResidualAttentionBlock):
    """CLIP's block on all tokens of all frames of a video."""

    places = ('before', *ResidualAttentionBlock.places)

    def forward(self, x: Tensor) -> Tensor:
        """Map the tokens of all frames (N, T, S, D) -> (N, T, S, D)."""
        x = self.adapted('before', x, x)
        return super().forward(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
