"""Names of Hugging Face's ``CLIPModel`` and ``XCLIPModel``, and of other pairs.

They keep queries, keys and values apart and store projections as linear layers.

Source: https://github.com/huggingface/transformers (models/clip, models/x_clip)
"""

from mmxclip.checkpoints.layouts.official import PROMPT_BLOCK
from mmxclip.checkpoints.layouts.renaming import Layout, StateDict

_BLOCK = """
.self_attn.{qkv}_proj.{wb}      .attn.in_proj_{wb}
.self_attn.out_proj.{wb}        .attn.out_proj.{wb}
.layer_norm1.{wb}               .ln_1.{wb}
.layer_norm2.{wb}               .ln_2.{wb}
.mlp.fc1.{wb}                   .mlp.c_fc.{wb}
.mlp.fc2.{wb}                   .mlp.c_proj.{wb}
"""

_TOWERS = f"""
vision_model.embeddings = backbone
.class_embedding                .class_embedding
.position_embedding.weight      .positional_embedding
.patch_embedding.weight         .conv1.weight
vision_model.post_layernorm.{{wb}}  backbone.ln_post.{{wb}}
visual_projection.weight        backbone.proj^T
vision_model.encoder.layers.{{n}} = backbone.resblocks.{{n}}{_BLOCK}\
text_model.embeddings = cls_head.text_encoder
.token_embedding.weight         .token_embedding.weight
.position_embedding.weight      .positional_embedding
text_model.encoder.layers.{{n}} = cls_head.text_encoder.resblocks.{{n}}{_BLOCK}\
text_model.final_layer_norm.{{wb}}  cls_head.text_encoder.ln_final.{{wb}}
text_projection.weight          cls_head.text_encoder.text_projection^T
logit_scale                     cls_head.logit_scale
{{tower}}position_ids             -   counts 0, 1, 2, ..., not a weight
"""

HUGGINGFACE_CLIP = Layout(
    'Hugging Face CLIP',
    _TOWERS
    + """\
vision_model.pre_layrnorm.{wb}  backbone.ln_pre.{wb}   sic
""",
)

HUGGINGFACE = Layout(
    'Hugging Face X-CLIP',
    _TOWERS
    + f"""\
vision_model.pre_layernorm.{{wb}}   backbone.ln_pre.{{wb}}
vision_model.encoder.layers.{{n}} = backbone.resblocks.{{n}}
.message_attn.{{qkv}}_proj.{{wb}}   .message_attn.in_proj_{{wb}}
.message_attn.out_proj.{{wb}}     .message_attn.out_proj.{{wb}}
.message_fc.{{wb}}                .message_fc.{{wb}}
.message_ln.{{wb}}                .message_ln.{{wb}}
mit.position_embedding          neck.positional_embedding
mit.encoder.layers.{{n}} = neck.resblocks.{{n}}{_BLOCK}\
prompts_visual_layernorm.{{wb}}   cls_head.prompt.context_ln.{{wb}}
prompts_visual_projection       cls_head.prompt.context_proj
prompts_generator.alpha         cls_head.prompt.alpha
prompts_generator.layernorm.{{wb}}  cls_head.prompt.norm.{{wb}}{PROMPT_BLOCK}""",
    is_whole=True,
)


def _scalars(state_dict: StateDict) -> StateDict:
    """Bring scale and bias of SigLIP (1,) into the shape of CLIP's scale ()."""
    return {
        name: tensor.squeeze() if name.startswith('logit_') else tensor
        for name, tensor in state_dict.items()
    }


# For HFVisionTower and HFTextEncoder, which are these towers themselves.
HUGGINGFACE_PAIR = Layout(
    'Hugging Face language-image pair',
    """
{tower}position_ids         -   counts 0, 1, 2, ..., not a weight
vision_model.{rest}         backbone.backbone.pair.vision_model.{rest}
visual_projection.{wb}      backbone.backbone.pair.visual_projection.{wb}
text_model.{rest}           cls_head.text_encoder.pair.text_model.{rest}
text_projection.{wb}        cls_head.text_encoder.pair.text_projection.{wb}
logit_scale                 cls_head.logit_scale
logit_bias                  cls_head.logit_bias
""",
    prepare=_scalars,
)
