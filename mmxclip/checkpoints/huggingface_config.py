"""``config.json`` of Hugging Face's ``XCLIPModel``: written, and compared."""

from collections.abc import Mapping
from typing import Any

from mmxclip.checkpoints.model_settings import PROMPT, TEXT, Settings
from mmxclip.checkpoints.report import CheckpointError


def make_config(settings: Settings) -> dict[str, Any]:
    """Return ``config.json`` for a model of these settings.

    The defaults of ``XCLIPConfig`` are those of the B models only, so all are given.

    Raises:
        CheckpointError: It has no place for the settings.
    """
    vision, text = settings['backbone']['arch'], settings[TEXT]['arch']
    neck, prompt = settings['neck'], settings[PROMPT]

    activation = vision.get('activation', 'quick_gelu')
    if neck.get('activation', 'quick_gelu') != activation:
        raise CheckpointError(
            f'Hugging Face has one activation for vision tower and MIT: {activation!r} '
            f'of the backbone and {neck.get("activation", "quick_gelu")!r} of the neck '
            'cannot be written. (Train with the same one: model.neck.activation)'
        )

    def transformer(of: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
        return {
            f'{prefix}hidden_size': of['embed_dims'],
            f'{prefix}intermediate_size': of.get('mlp_dims', 4 * of['embed_dims']),
            f'{prefix}num_hidden_layers': of['depth'],
            f'{prefix}num_attention_heads': of['num_heads'],
        }

    return {
        'architectures': ['XCLIPModel'],
        'model_type': 'xclip',
        'projection_dim': prompt['embed_dims'],
        'prompt_layers': prompt['depth'],
        'prompt_num_attention_heads': prompt['num_heads'],
        'prompt_hidden_act': 'quick_gelu',
        'text_config': {
            'model_type': 'xclip_text_model',
            **transformer(text),
            'hidden_act': text.get('activation', 'quick_gelu'),
            'vocab_size': text['vocab_size'],
            'max_position_embeddings': text['context_length'],
        },
        'vision_config': {
            'model_type': 'xclip_vision_model',
            **transformer(vision),
            'hidden_act': activation,
            'image_size': vision['img_size'],
            'patch_size': vision['patch_size'],
            'num_frames': neck['num_frames'],
            **transformer(neck, 'mit_'),
        },
    }


def compare_config(config: Mapping[str, Any], settings: Settings) -> list[str]:
    """Say where a ``config.json`` describes another function of the same weights.

    Numbers of heads and activations leave no trace in the weights. Where the file
    differs from the official code, the two models give different scores.
    """
    wanted, found = _flat(make_config(settings)), _flat(config)
    return [
        f'config.json says {key}={found[key]!r}; the official model, and ours, have '
        f'{wanted[key]!r}: expect other scores'
        for key in wanted
        if key.endswith(('_attention_heads', 'hidden_act'))
        and found.get(key, wanted[key]) != wanted[key]
    ]


def _flat(config: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        nested = key.endswith('_config') and isinstance(value, Mapping)
        flat |= _flat(value, f'{key}.') if nested else {prefix + key: value}
    return flat
