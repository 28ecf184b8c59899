"""Names of the official X-CLIP checkpoints (microsoft/VideoX, X-CLIP).

Source: https://github.com/microsoft/VideoX/tree/master/X-CLIP/models
"""

from mmxclip.convert.openai_clip import VISION_AND_TEXT
from mmxclip.convert.table import Row, Table

_PROMPT = 'prompts_generator.decoder.{n}.'
_OURS = 'cls_head.prompt.decoder.{n}.'

XCLIP_OFFICIAL = Table(
    'official X-CLIP',
    (
        *VISION_AND_TEXT,
        Row(
            'visual.transformer.resblocks.{n}.{message}',
            'backbone.resblocks.{n}.{message}',
        ),
        Row('mit.positional_embedding', 'neck.positional_embedding'),
        Row('mit.resblocks.{n}.{block}', 'neck.resblocks.{n}.{block}'),
        Row('prompts_visual_ln.{wb}', 'cls_head.prompt.context_ln.{wb}'),
        Row('prompts_visual_proj', 'cls_head.prompt.context_proj'),
        Row('prompts_generator.alpha', 'cls_head.prompt.alpha'),
        Row('prompts_generator.norm.{wb}', 'cls_head.prompt.norm.{wb}'),
        Row(_PROMPT + 'cross_attn.{cross}', _OURS + 'cross_attn.{cross}'),
        Row(_PROMPT + 'cross_attn.proj.{wb}', _OURS + 'cross_attn.out_proj.{wb}'),
        Row(_PROMPT + 'norm1.{wb}', _OURS + 'ln_1.{wb}'),
        Row(_PROMPT + 'norm3.{wb}', _OURS + 'ln_2.{wb}'),
        Row(_PROMPT + 'mlp.0.{wb}', _OURS + 'mlp.c_fc.{wb}'),
        Row(_PROMPT + 'mlp.3.{wb}', _OURS + 'mlp.c_proj.{wb}'),
    ),
)
