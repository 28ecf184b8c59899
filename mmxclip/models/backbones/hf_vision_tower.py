"""Vision towers of Hugging Face's language-image models."""

from contextlib import ExitStack

import torch
from mmaction.registry import MODELS
from mmaction.utils import OptConfigType
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmxclip.checkpoints.parts import PretrainedPart
from mmxclip.layers import Messages, init_linear_layers
from mmxclip.models.huggingface import build_half
from mmxclip.utils.checks import check_count


@MODELS.register_module()
class HFVisionTower(PretrainedPart, BaseModule):
    """Vision tower of SigLIP, SigLIP 2 or another pair, for :class:`FrameEncoder`.

    It gives what the pair makes of an image, its embedding in the joint space, which
    stands for the frame then; and the patch tokens.

    Args:
        source: Where the config is: 'hf-hub:OWNER/NAME', or a folder of Hugging Face.
        message_frames: T of the videos whose frames exchange messages before each
            layer, see :class:`~mmxclip.layers.Messages`; this is ours, not the
            paper's. ``None``: each frame is seen for itself.
        init_cfg: Initialisation: ``dict(type='CLIPPretrained', checkpoint=source)``.

    Raises:
        ImportError: ``transformers`` is not installed.
        ValueError: There is no config of a pair.
    """

    slot = 'backbone.backbone.'
    fresh_parameters = ('messages.*',)

    def __init__(
        self,
        source: str,
        *,
        message_frames: int | None = None,
        init_cfg: OptConfigType = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.pair = build_half(source, 'vision')
        config = self.pair.config.vision_config
        self.patch_size = config.patch_size
        # None of SigLIP 2's NaFlex, which takes patches of images of any size.
        self.img_size = getattr(config, 'image_size', None)
        if message_frames is None:
            self.messages = nn.ModuleList()
        else:
            check_count('message_frames', message_frames)
            sizes = config.hidden_size, config.num_attention_heads, message_frames
            self.messages = nn.ModuleList(Messages(*sizes) for _ in self._layers)
            init_linear_layers(self.messages)

    @property
    def _layers(self) -> nn.ModuleList:
        return self.pair.vision_model.encoder.layers

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode images.

        Args:
            x: Normalised images (N, 3, H, W).

        Returns:
            tuple: Embeddings (N, E) and patch tokens (N, L, D).

        Raises:
            ValueError: The images have another size than the tower's, or are no
                whole videos of ``message_frames``.
        """
        side, patch_size = self.img_size, self.patch_size
        height, width = x.shape[2:]
        if side and (height, width) != (side, side):
            raise ValueError(
                f'this tower was made for {side}x{side} pixels, got {width}x{height}. '
                f'Crop to {side} in the pipeline.'
            )
        rows, columns = height // patch_size, width // patch_size
        shapes = {}
        if side is None:
            x = x.unflatten(3, (columns, -1)).unflatten(2, (rows, -1))
            x = x.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)  # (N, L, patch)
            grid = torch.tensor([rows, columns], device=x.device)
            shapes['spatial_shapes'] = grid.expand(len(x), -1)
        with ExitStack() as talks:
            for messages, layer in zip(self.messages, self._layers, strict=False):
                talks.enter_context(messages.around(layer))
            out = self.pair.get_image_features(pixel_values=x, **shapes)
        # Of others than SigLIP, a class token stands before them.
        return out.pooler_output, out.last_hidden_state[:, -rows * columns :]
