"""Names of ViTs trained on ImageNet by timm and MMPretrain: backbone only.

CLIP's patch embedding has no bias; theirs is added to the position embedding of every
patch, which is the same sum. Their blocks have GELU and no norm in front, ours keep
CLIP's QuickGELU and ``ln_pre``: the result is an initialisation, not the same function.

Sources:
    https://github.com/huggingface/pytorch-image-models (models/vision_transformer.py)
    https://github.com/open-mmlab/mmpretrain (models/backbones/vision_transformer.py)
"""

from functools import partial

from mmxclip.checkpoints.layouts.renaming import Layout, StateDict


def _fold_patch_bias(
    state_dict: StateDict, *, position: str, token: str, bias: str
) -> StateDict:
    """Bring class token (1, 1, D) and positions (1, 1 + L, D) into CLIP's shapes."""
    if token in state_dict:
        state_dict[token] = state_dict[token].flatten()
    if position in state_dict:
        state_dict[position] = state_dict[position].squeeze(0).clone()
        state_dict[position][1:] += state_dict.get(bias, 0)
    return state_dict


_NOTE = (
    'an ImageNet ViT has GELU and no norm before its blocks, this model QuickGELU and '
    'ln_pre: a start for training, not a model to test'
)

TIMM = Layout(
    'timm ViT',
    """
cls_token                 backbone.class_embedding
pos_embed                 backbone.positional_embedding
patch_embed.proj.weight   backbone.conv1.weight
patch_embed.proj.bias     -   added to the position embedding of every patch
blocks.{n} = backbone.resblocks.{n}
.norm1.{wb}               .ln_1.{wb}
.attn.qkv.{wb}            .attn.in_proj_{wb}
.attn.proj.{wb}           .attn.out_proj.{wb}
.norm2.{wb}               .ln_2.{wb}
.mlp.fc1.{wb}             .mlp.c_fc.{wb}
.mlp.fc2.{wb}             .mlp.c_proj.{wb}
norm.{wb}                 backbone.ln_post.{wb}
head.{wb}                 -   ImageNet's classifier
pre_logits.fc.{wb}        -   ImageNet's classifier
""",
    note=_NOTE,
    is_start=True,
    prepare=partial(
        _fold_patch_bias,
        position='pos_embed',
        token='cls_token',
        bias='patch_embed.proj.bias',
    ),
)

MMPRETRAIN = Layout(
    'MMPretrain ViT',
    """
backbone.cls_token                       backbone.class_embedding
backbone.pos_embed                       backbone.positional_embedding
backbone.patch_embed.projection.weight   backbone.conv1.weight
backbone.patch_embed.projection.bias     -   added to every patch's position embedding
backbone.layers.{n} = backbone.resblocks.{n}
.ln1.{wb}                 .ln_1.{wb}
.attn.qkv.{wb}            .attn.in_proj_{wb}
.attn.proj.{wb}           .attn.out_proj.{wb}
.ln2.{wb}                 .ln_2.{wb}
.ffn.layers.0.0.{wb}      .mlp.c_fc.{wb}
.ffn.layers.1.{wb}        .mlp.c_proj.{wb}
backbone.ln1.{wb}         backbone.ln_post.{wb}
head.{rest}               -   ImageNet's classifier
""",
    note=_NOTE,
    is_start=True,
    prepare=partial(
        _fold_patch_bias,
        position='backbone.pos_embed',
        token='backbone.cls_token',
        bias='backbone.patch_embed.projection.bias',
    ),
)
