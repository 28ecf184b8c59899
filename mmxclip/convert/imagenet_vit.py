"""Names of ViTs trained on ImageNet by timm and MMPretrain: backbone only.

CLIP's patch embedding has no bias; theirs is added to the position embedding of every
patch, which is the same sum. Their blocks have GELU and no norm in front, ours keep
CLIP's QuickGELU and ``ln_pre``: the result is an initialisation, not the same function.

Sources:
    https://github.com/huggingface/pytorch-image-models (models/vision_transformer.py)
    https://github.com/open-mmlab/mmpretrain (models/backbones/vision_transformer.py)
"""

from collections.abc import Mapping

from torch import Tensor

from mmxclip.convert.table import Row, StateDict, Table

NOTE = (
    'an ImageNet ViT has GELU and no norm before its blocks, this model QuickGELU and '
    'ln_pre: a start for training, not a model to test'
)

_NEW = (
    Row(None, 'backbone.ln_pre.{wb}', "CLIP's own"),
    Row(None, 'backbone.proj', "CLIP's own"),
    Row(None, 'backbone.resblocks.{n}.{message}', "X-CLIP's own"),
    Row(None, 'neck.{rest}', "X-CLIP's own"),
    Row(None, 'cls_head.{rest}', "CLIP's or X-CLIP's own"),
)
_FOLDED = 'added to the position embedding of every patch'
_CLASSIFIER = "ImageNet's classifier"
_BLOCK = 'backbone.resblocks.{n}.'

TIMM = Table(
    'timm ViT',
    (
        Row('cls_token', 'backbone.class_embedding'),
        Row('pos_embed', 'backbone.positional_embedding'),
        Row('patch_embed.proj.weight', 'backbone.conv1.weight'),
        Row('patch_embed.proj.bias', None, _FOLDED),
        Row('blocks.{n}.norm1.{wb}', _BLOCK + 'ln_1.{wb}'),
        Row('blocks.{n}.attn.qkv.{wb}', _BLOCK + 'attn.in_proj_{wb}'),
        Row('blocks.{n}.attn.proj.{wb}', _BLOCK + 'attn.out_proj.{wb}'),
        Row('blocks.{n}.norm2.{wb}', _BLOCK + 'ln_2.{wb}'),
        Row('blocks.{n}.mlp.fc1.{wb}', _BLOCK + 'mlp.c_fc.{wb}'),
        Row('blocks.{n}.mlp.fc2.{wb}', _BLOCK + 'mlp.c_proj.{wb}'),
        Row('norm.{wb}', 'backbone.ln_post.{wb}'),
        Row('head.{wb}', None, _CLASSIFIER),
        Row('pre_logits.fc.{wb}', None, _CLASSIFIER),
        *_NEW,
    ),
)

MMPRETRAIN = Table(
    'MMPretrain ViT',
    (
        Row('backbone.cls_token', 'backbone.class_embedding'),
        Row('backbone.pos_embed', 'backbone.positional_embedding'),
        Row('backbone.patch_embed.projection.weight', 'backbone.conv1.weight'),
        Row('backbone.patch_embed.projection.bias', None, _FOLDED),
        Row('backbone.layers.{n}.ln1.{wb}', _BLOCK + 'ln_1.{wb}'),
        Row('backbone.layers.{n}.attn.qkv.{wb}', _BLOCK + 'attn.in_proj_{wb}'),
        Row('backbone.layers.{n}.attn.proj.{wb}', _BLOCK + 'attn.out_proj.{wb}'),
        Row('backbone.layers.{n}.ln2.{wb}', _BLOCK + 'ln_2.{wb}'),
        Row('backbone.layers.{n}.ffn.layers.0.0.{wb}', _BLOCK + 'mlp.c_fc.{wb}'),
        Row('backbone.layers.{n}.ffn.layers.1.{wb}', _BLOCK + 'mlp.c_proj.{wb}'),
        Row('backbone.ln1.{wb}', 'backbone.ln_post.{wb}'),
        Row('head.{rest}', None, _CLASSIFIER),
        *_NEW,
    ),
)


def fold_patch_bias(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Bring the embeddings of an ImageNet ViT into CLIP's shapes.

    Args:
        state_dict: Tensors under timm's or MMPretrain's names, with the class token
            (1, 1, D) and position embeddings (1, 1 + L, D).

    Returns:
        The same names, with (D,) and (1 + L, D), the bias added to the latter.
    """
    result = dict(state_dict)
    for prefix, projection in (('', 'proj'), ('backbone.', 'projection')):
        position, token = f'{prefix}pos_embed', f'{prefix}cls_token'
        bias = result.get(f'{prefix}patch_embed.{projection}.bias')
        if token in result:
            result[token] = result[token].flatten()
        if position in result:
            result[position] = result[position].squeeze(0).clone()
            if bias is not None:
                result[position][1:] += bias
    return result
