"""Building blocks of the models. Imports torch and nothing else."""

from mmxclip.layers.activation import QuickGELU
from mmxclip.layers.adapted import Adapted, Adapter
from mmxclip.layers.attention import CrossAttention, SelfAttention
from mmxclip.layers.cross_frame import CrossFrameAttentionBlock
from mmxclip.layers.drop_path import DropPath, drop_path, drop_path_schedule
from mmxclip.layers.frame_blocks import (
    JointAttentionBlock,
    SingleFrameAttentionBlock,
)
from mmxclip.layers.initialization import init_linear_layers
from mmxclip.layers.messages import Messages
from mmxclip.layers.mlp import MLP
from mmxclip.layers.patch_conv import PatchConv
from mmxclip.layers.pos_embed import (
    resize_spatial_pos_embed,
    resize_temporal_pos_embed,
)
from mmxclip.layers.precision import without_autocast
from mmxclip.layers.token_merging import MergedTokens, TokenMergingBlock
from mmxclip.layers.transformer import ResidualAttentionBlock

__all__ = [
    'MLP',
    'Adapted',
    'Adapter',
    'CrossAttention',
    'CrossFrameAttentionBlock',
    'DropPath',
    'JointAttentionBlock',
    'MergedTokens',
    'Messages',
    'PatchConv',
    'QuickGELU',
    'ResidualAttentionBlock',
    'SelfAttention',
    'SingleFrameAttentionBlock',
    'TokenMergingBlock',
    'drop_path',
    'drop_path_schedule',
    'init_linear_layers',
    'resize_spatial_pos_embed',
    'resize_temporal_pos_embed',
    'without_autocast',
]
