"""Names of the official X-CLIP checkpoints (microsoft/VideoX, X-CLIP).

Source: https://github.com/microsoft/VideoX/tree/master/X-CLIP/models
"""

from mmxclip.checkpoints.layouts.openai_clip import VISION_AND_TEXT
from mmxclip.checkpoints.layouts.renaming import Layout

# Of the prompt's decoder; Hugging Face took it over.
PROMPT_BLOCK = """
prompts_generator.decoder.{n} = cls_head.prompt.decoder.{n}
.cross_attn.{cross}     .cross_attn.{cross}
.cross_attn.proj.{wb}   .cross_attn.out_proj.{wb}
.norm1.{wb}             .ln_1.{wb}
.norm3.{wb}             .ln_2.{wb}
.mlp.0.{wb}             .mlp.c_fc.{wb}
.mlp.3.{wb}             .mlp.c_proj.{wb}
"""

XCLIP_OFFICIAL = Layout(
    'official X-CLIP',
    VISION_AND_TEXT
    + """\
visual.transformer.resblocks.{n}.{message}   backbone.resblocks.{n}.{message}
mit.positional_embedding                     neck.positional_embedding
mit.resblocks.{n}.{block}                    neck.resblocks.{n}.{block}
prompts_visual_ln.{wb}                       cls_head.prompt.context_ln.{wb}
prompts_visual_proj                          cls_head.prompt.context_proj
prompts_generator.alpha                      cls_head.prompt.alpha
prompts_generator.norm.{wb}                  cls_head.prompt.norm.{wb}"""
    + PROMPT_BLOCK,
    is_whole=True,
)
