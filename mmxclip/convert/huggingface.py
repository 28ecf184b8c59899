"""Names and configuration of Hugging Face's ``XCLIPModel``.

It keeps queries, keys and values apart and stores projections as linear layers. The
configuration is written here too, so that a converted folder opens by
``XCLIPModel.from_pretrained``.

Source: https://github.com/huggingface/transformers (models/x_clip)
"""

from collections.abc import Mapping
from typing import Any

from mmxclip.convert.geometry import Geometry
from mmxclip.convert.table import Row, Table
from mmxclip.layers.clip_sizes import count_heads


def _attention(theirs: str, ours: str) -> tuple[Row, ...]:
    return (
        Row(theirs + '.{qkv}_proj.{wb}', ours + '.in_proj_{wb}'),
        Row(theirs + '.out_proj.{wb}', ours + '.out_proj.{wb}'),
    )


def _block(theirs: str, ours: str) -> tuple[Row, ...]:
    return (
        *_attention(theirs + '.self_attn', ours + '.attn'),
        Row(theirs + '.layer_norm1.{wb}', ours + '.ln_1.{wb}'),
        Row(theirs + '.layer_norm2.{wb}', ours + '.ln_2.{wb}'),
        Row(theirs + '.mlp.fc1.{wb}', ours + '.mlp.c_fc.{wb}'),
        Row(theirs + '.mlp.fc2.{wb}', ours + '.mlp.c_proj.{wb}'),
    )


_VISION, _OUR_VISION = 'vision_model.encoder.layers.{n}', 'backbone.resblocks.{n}'
_TEXT = 'cls_head.text_encoder.'
_PROMPT, _OUR_PROMPT = 'prompts_generator.decoder.{n}.', 'cls_head.prompt.decoder.{n}.'

HUGGINGFACE = Table(
    'Hugging Face X-CLIP',
    (
        Row(
            'vision_model.embeddings.class_embedding',
            'backbone.class_embedding',
        ),
        Row(
            'vision_model.embeddings.position_embedding.weight',
            'backbone.positional_embedding',
        ),
        Row(
            'vision_model.embeddings.patch_embedding.weight',
            'backbone.conv1.weight',
        ),
        Row('vision_model.pre_layernorm.{wb}', 'backbone.ln_pre.{wb}'),
        Row('vision_model.post_layernorm.{wb}', 'backbone.ln_post.{wb}'),
        Row('visual_projection.weight', 'backbone.proj', transpose=True),
        *_block(_VISION, _OUR_VISION),
        *_attention(_VISION + '.message_attn', _OUR_VISION + '.message_attn'),
        Row(_VISION + '.message_fc.{wb}', _OUR_VISION + '.message_fc.{wb}'),
        Row(_VISION + '.message_ln.{wb}', _OUR_VISION + '.message_ln.{wb}'),
        Row('mit.position_embedding', 'neck.positional_embedding'),
        *_block('mit.encoder.layers.{n}', 'neck.resblocks.{n}'),
        Row(
            'text_model.embeddings.token_embedding.weight',
            _TEXT + 'token_embedding.weight',
        ),
        Row(
            'text_model.embeddings.position_embedding.weight',
            _TEXT + 'positional_embedding',
        ),
        *_block('text_model.encoder.layers.{n}', _TEXT + 'resblocks.{n}'),
        Row('text_model.final_layer_norm.{wb}', _TEXT + 'ln_final.{wb}'),
        Row('text_projection.weight', _TEXT + 'text_projection', transpose=True),
        Row('logit_scale', 'cls_head.logit_scale'),
        Row('prompts_visual_layernorm.{wb}', 'cls_head.prompt.context_ln.{wb}'),
        Row('prompts_visual_projection', 'cls_head.prompt.context_proj'),
        Row('prompts_generator.alpha', 'cls_head.prompt.alpha'),
        Row('prompts_generator.layernorm.{wb}', 'cls_head.prompt.norm.{wb}'),
        Row(_PROMPT + 'cross_attn.{cross}', _OUR_PROMPT + 'cross_attn.{cross}'),
        Row(
            _PROMPT + 'cross_attn.proj.{wb}',
            _OUR_PROMPT + 'cross_attn.out_proj.{wb}',
        ),
        Row(_PROMPT + 'norm1.{wb}', _OUR_PROMPT + 'ln_1.{wb}'),
        Row(_PROMPT + 'norm3.{wb}', _OUR_PROMPT + 'ln_2.{wb}'),
        Row(_PROMPT + 'mlp.0.{wb}', _OUR_PROMPT + 'mlp.c_fc.{wb}'),
        Row(_PROMPT + 'mlp.3.{wb}', _OUR_PROMPT + 'mlp.c_proj.{wb}'),
        Row('{tower}position_ids', None, 'counts 0, 1, 2, ..., not a weight'),
    ),
)


def make_config(geometry: Geometry) -> dict[str, Any]:
    """Return the content of ``config.json`` for a model of these sizes.

    Where the heads are not known, every attention has ``width / 64``, as in the
    official code; the defaults of ``XCLIPConfig`` are those of the B models only.
    """
    heads = geometry.heads
    dims, text_dims, out_dims = (
        geometry.embed_dims,
        geometry.text_dims,
        geometry.out_dims,
    )
    return {
        'architectures': ['XCLIPModel'],
        'model_type': 'xclip',
        'projection_dim': out_dims,
        'prompt_layers': geometry.prompt_depth,
        'prompt_num_attention_heads': heads.prompt or count_heads(out_dims),
        'prompt_hidden_act': 'quick_gelu',
        'text_config': {
            'model_type': 'xclip_text_model',
            'vocab_size': geometry.vocab_size,
            'hidden_size': text_dims,
            'intermediate_size': 4 * text_dims,
            'num_hidden_layers': geometry.text_depth,
            'num_attention_heads': heads.text or count_heads(text_dims),
            'max_position_embeddings': geometry.context_length,
            'hidden_act': 'quick_gelu',
        },
        'vision_config': {
            'model_type': 'xclip_vision_model',
            'hidden_size': dims,
            'intermediate_size': 4 * dims,
            'num_hidden_layers': geometry.depth,
            'num_attention_heads': heads.vision or count_heads(dims),
            'image_size': geometry.img_size,
            'patch_size': geometry.patch_size,
            'num_frames': geometry.num_frames,
            'hidden_act': 'quick_gelu',
            'mit_hidden_size': out_dims,
            'mit_intermediate_size': 4 * out_dims,
            'mit_num_hidden_layers': geometry.mit_depth,
            'mit_num_attention_heads': heads.mit or count_heads(out_dims),
        },
    }


def compare_config(config: Mapping[str, Any], geometry: Geometry) -> list[str]:
    """Say where a ``config.json`` describes another function of the same weights.

    Numbers of heads and activations leave no trace in the weights. Where the file
    differs from the official code, the two models give different scores.
    """
    notes = []
    for where, wanted in (
        ('', make_config(geometry)),
        ('text_config', make_config(geometry)['text_config']),
        ('vision_config', make_config(geometry)['vision_config']),
    ):
        found = config.get(where, {}) if where else config
        notes += [
            f'config.json says {where}{"." if where else ""}{key}={found[key]!r}; '
            f'the official model, and ours, have {wanted[key]!r}: expect other scores'
            for key in wanted
            if key.endswith(('_attention_heads', 'hidden_act'))
            and found.get(key, wanted[key]) != wanted[key]
        ]
    return notes
