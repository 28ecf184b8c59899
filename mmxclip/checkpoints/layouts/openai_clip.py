"""Names of OpenAI CLIP's ViT models, which open_clip shares.

Source: https://github.com/openai/CLIP/blob/main/clip/model.py

Only OpenAI's own files hold the numbers at the end of the table.
"""

from mmxclip.checkpoints.layouts.renaming import Layout

VISION_AND_TEXT = """
visual.{vision}                            backbone.{vision}
visual.conv1.weight                        backbone.conv1.weight
visual.{ln}.{wb}                           backbone.{ln}.{wb}
visual.transformer.resblocks.{n}.{block}   backbone.resblocks.{n}.{block}
{text}                                     cls_head.text_encoder.{text}
transformer.resblocks.{n}.{block}          cls_head.text_encoder.resblocks.{n}.{block}
logit_scale                                cls_head.logit_scale
"""

OPENAI_CLIP = Layout(
    'OpenAI CLIP',
    VISION_AND_TEXT
    + """\
input_resolution   -   a number, not a weight
context_length     -   a number, not a weight
vocab_size         -   a number, not a weight
{tower}attn_mask   -   the causal mask is made, not stored
""",
)
