"""Names of ViTs trained on ImageNet by timm and MMPretrain: backbone only.

CLIP's patch embedding has no bias; theirs is added to the position embedding of every
patch, which is the same sum. Their blocks have GELU and no norm in front, ours keep
CLIP's QuickGELU and ``ln_pre``: the result is an initialisation, not the same function.

Sources:
    https://github.com/huggingface/pytorch-image-models (models/vision_transformer.py)
    https://github.com/open-mmlab/mmpretrain (models/backbones/vision_transformer.py)
"""

from mmxclip.checkpoints.layouts.renaming import Layout, StateDict

_BIAS = ('patch_embed.proj.bias', 'patch_embed.projection.bias')


def _fold_patch_bias(state_dict: StateDict) -> StateDict:
    """Bring class token (1, 1, D) and positions (1, 1 + L, D) into CLIP's shapes."""
    bias = sum(t for name, t in state_dict.items() if name.endswith(_BIAS))
    for name, tensor in state_dict.items():
        if name.endswith('cls_token'):
            state_dict[name] = tensor.flatten()
        elif name.endswith('pos_embed'):
            state_dict[name] = tensor.squeeze(0).clone()
            state_dict[name][1:] += bias
    return state_dict


# Of two names in braces, the first is timm's.
IMAGENET_VIT = Layout(
    'timm or MMPretrain ViT',
    """
{|backbone.}cls_token                         backbone.class_embedding
{|backbone.}pos_embed                         backbone.positional_embedding
{|backbone.}patch_embed.{proj|projection}.weight   backbone.conv1.weight
{|backbone.}patch_embed.{proj|projection}.bias     -   added to every position
{blocks|backbone.layers}.{n} = backbone.resblocks.{n}
.{norm1|ln1}.{wb}               .ln_1.{wb}
.attn.qkv.{wb}                  .attn.in_proj_{wb}
.attn.proj.{wb}                 .attn.out_proj.{wb}
.{norm2|ln2}.{wb}               .ln_2.{wb}
.{mlp.fc1|ffn.layers.0.0}.{wb}  .mlp.c_fc.{wb}
.{mlp.fc2|ffn.layers.1}.{wb}    .mlp.c_proj.{wb}
{norm|backbone.ln1}.{wb}        backbone.ln_post.{wb}
{head|pre_logits}.{rest}        -   ImageNet's classifier
""",
    note=(
        'an ImageNet ViT has GELU and no norm before its blocks, this model QuickGELU '
        'and ln_pre: a start for training, not a model to test'
    ),
    is_start=True,
    prepare=_fold_patch_bias,
)
