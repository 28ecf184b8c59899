"""``config.json`` of Hugging Face's ``XCLIPModel``: written, and compared."""

from collections.abc import Mapping
from typing import Any

from mmxclip.checkpoints.model_settings import PROMPT, TEXT, Settings


def make_config(settings: Settings) -> dict[str, Any]:
    """Return ``config.json`` for a model of these settings.

    The defaults of ``XCLIPConfig`` are those of the B models only, so all are given.
    """
    vision, text = settings['backbone']['arch'], settings[TEXT]['arch']
    neck, prompt = settings['neck'], settings[PROMPT]
    towers = {
        f'{name}_config': {
            'model_type': f'xclip_{name}_model',
            'hidden_size': tower['embed_dims'],
            'intermediate_size': 4 * tower['embed_dims'],
            'num_hidden_layers': tower['depth'],
            'num_attention_heads': tower['num_heads'],
            'hidden_act': 'quick_gelu',
        }
        for name, tower in (('text', text), ('vision', vision))
    }
    towers['text_config'] |= {
        'vocab_size': text['vocab_size'],
        'max_position_embeddings': text['context_length'],
    }
    towers['vision_config'] |= {
        'image_size': vision['img_size'],
        'patch_size': vision['patch_size'],
        'num_frames': neck['num_frames'],
        'mit_hidden_size': neck['embed_dims'],
        'mit_intermediate_size': 4 * neck['embed_dims'],
        'mit_num_hidden_layers': neck['depth'],
        'mit_num_attention_heads': neck['num_heads'],
    }
    return {
        'architectures': ['XCLIPModel'],
        'model_type': 'xclip',
        'projection_dim': prompt['embed_dims'],
        'prompt_layers': prompt['depth'],
        'prompt_num_attention_heads': prompt['num_heads'],
        'prompt_hidden_act': 'quick_gelu',
        **towers,
    }


def compare_config(config: Mapping[str, Any], settings: Settings) -> list[str]:
    """Say where a ``config.json`` describes another function of the same weights.

    Numbers of heads and activations leave no trace in the weights. Where the file
    differs from the official code, the two models give different scores.
    """
    notes = []
    official = make_config(settings)
    for where in ('', 'text_config', 'vision_config'):
        wanted = official[where] if where else official
        found = config.get(where, {}) if where else config
        notes += [
            f'config.json says {where}{"." if where else ""}{key}={found[key]!r}; '
            f'the official model, and ours, have {wanted[key]!r}: expect other scores'
            for key in wanted
            if key.endswith(('_attention_heads', 'hidden_act'))
            and found.get(key, wanted[key]) != wanted[key]
        ]
    return notes
