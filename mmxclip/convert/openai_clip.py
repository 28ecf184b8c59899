"""Names of OpenAI CLIP's ViT models, shared by open_clip (``*-quickgelu``).

Source: https://github.com/openai/CLIP/blob/main/clip/model.py
"""

from mmxclip.convert.table import Row, Table

VISION_AND_TEXT = (
    Row('visual.{vision}', 'backbone.{vision}'),
    Row('visual.conv1.weight', 'backbone.conv1.weight'),
    Row('visual.{ln}.{wb}', 'backbone.{ln}.{wb}'),
    Row('visual.transformer.resblocks.{n}.{block}', 'backbone.resblocks.{n}.{block}'),
    Row('{text}', 'cls_head.text_encoder.{text}'),
    Row(
        'transformer.resblocks.{n}.{block}',
        'cls_head.text_encoder.resblocks.{n}.{block}',
    ),
    Row('logit_scale', 'cls_head.logit_scale'),
)

_OWN = "X-CLIP's own"

OPENAI_CLIP = Table(
    'OpenAI CLIP',
    (
        *VISION_AND_TEXT,
        Row('input_resolution', None, 'a number, not a weight'),
        Row('context_length', None, 'a number, not a weight'),
        Row('vocab_size', None, 'a number, not a weight'),
        Row('{tower}attn_mask', None, 'the causal mask is made, not stored'),
        Row(None, 'backbone.resblocks.{n}.{message}', _OWN),
        Row(None, 'neck.{rest}', _OWN),
        Row(None, 'cls_head.prompt.{rest}', _OWN),
    ),
)
