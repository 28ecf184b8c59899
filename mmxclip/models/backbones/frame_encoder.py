"""Any image backbone, applied to every frame."""

from typing import Any

from mmaction.registry import MODELS
from mmaction.utils import ConfigType, OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmxclip.layers import init_linear_layers
from mmxclip.models.freezing import Frozen, freeze
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class FrameEncoder(BaseModule):
    """Image backbone on each frame, projected to frame embeddings for :class:`MIT`.

    With Swin, a MIT of four layers and :class:`XCLIPHead` this has the shape of
    X-Florence.

    Args:
        backbone: Config of an image backbone, e.g. of MMPretrain:
            ``dict(type='mmpretrain.SwinTransformer', arch='base')``. Its last output
            must be a feature map (N, C, h, w), or a vector (N, C). Or that of a
            language-image model: ``dict(type='HFVisionTower', source=...)``.
        in_channels: C. ``None`` for an image backbone that gives frame embeddings
            itself, (N, E) with patch tokens (N, L, C): nothing is projected then.
        out_dims: Width E of the frame embeddings: that of the text embeddings.
        frozen: ``True`` freezes everything, ``'pretrained'`` all but the projection,
            which the image backbone does not bring.
        init_cfg: Initialisation. The image backbone has its own.

    Raises:
        ValueError: ``frozen`` is none of the values above, or a number is too small.
        ImportError: A package that the image backbone needs is missing.
    """

    fresh_parameters = ('proj.*',)

    def __init__(
        self,
        backbone: ConfigType,
        in_channels: int | None = None,
        out_dims: int = 512,
        *,
        frozen: Frozen = False,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        check_count('out_dims', out_dims)
        self.backbone = _build(backbone)
        if in_channels is not None:
            check_count('in_channels', in_channels)
            self.proj = nn.Linear(in_channels, out_dims, bias=False)
            init_linear_layers(self.proj)
        self.in_channels = in_channels
        self.frozen = frozen
        freeze(self, frozen)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode videos.

        Args:
            x: Normalised frames (N, 3, T, H, W).

        Returns:
            tuple: Frame embeddings (N, T, E); patch tokens (N, T, L, C), the cells
            of the feature map (L = 1 for a backbone that gives vectors).

        Raises:
            ValueError: The input is no video, or the image backbone gives another
                shape than a map or a vector of C channels.
        """
        if x.ndim != 5:
            raise ValueError(
                'FrameEncoder expects videos (N, 3, T, H, W), got a tensor of shape '
                f"{tuple(x.shape)}. Use FormatShape(input_format='NCTHW')."
            )
        num_frames = x.shape[2]
        features = self.backbone(x.transpose(1, 2).flatten(0, 1))
        if self.in_channels is None:
            embeds, tokens = _as_pair(features)
            return (
                embeds.unflatten(0, (-1, num_frames)),
                tokens.unflatten(0, (-1, num_frames)),
            )
        if isinstance(features, (tuple, list)):
            features = features[-1]  # the last stage
        if features.ndim not in (2, 4) or features.shape[1] != self.in_channels:
            raise ValueError(
                f'FrameEncoder with in_channels={self.in_channels} expects of its '
                f'image backbone a feature map (N, {self.in_channels}, h, w) or a '
                f'vector, got shape {tuple(features.shape)}. Set in_channels, or '
                "out_type of the image backbone (e.g. 'featmap', 'cls_token')."
            )
        tokens = features.flatten(2) if features.ndim == 4 else features.unsqueeze(2)
        tokens = tokens.transpose(1, 2).unflatten(0, (-1, num_frames))  # (N, T, L, C)
        return self.proj(tokens.mean(dim=2)), tokens

    def train(self, mode: bool = True) -> 'FrameEncoder':
        """Switch to training; what is frozen stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.train(False)
        return self


def _as_pair(features: Any) -> tuple[Tensor, Tensor]:
    if [getattr(part, 'ndim', 0) for part in features] != [2, 3]:
        raise ValueError(
            'FrameEncoder without in_channels expects of its image backbone frame '
            'embeddings (N, E) and patch tokens (N, L, C). Set in_channels for a '
            'backbone that gives a feature map or a vector.'
        )
    return features


def _build(backbone: ConfigType) -> nn.Module:
    try:
        return MODELS.build(backbone)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'{backbone["type"]!r} in FrameEncoder needs the package {error.name!r}, '
            f'which is not installed: pip install {error.name} (torchvision, for '
            "mmpretrain, in the build that fits torch's)"
        ) from error
