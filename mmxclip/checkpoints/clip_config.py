"""What is written beside a checkpoint about settings that weights bear no trace of.

Hugging Face's ``config.json`` (with ``preprocessor_config.json``), open_clip's
``open_clip_config.json`` and the config of a training of ours, all put as the part of
our config that says the same: ``{'backbone': {'arch': {'num_heads': 12, ...}}, ...}``.

Sources:
    https://github.com/huggingface/transformers (models/clip/configuration_clip.py)
    https://github.com/mlfoundations/open_clip (src/open_clip/model.py)
"""

from collections.abc import Mapping
from typing import Any

from mmxclip.checkpoints.formats import Opened
from mmxclip.checkpoints.layouts import HUGGINGFACE_PAIR, Layout
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.stored_config import stored_config
from mmxclip.layers.activation import ACTIVATIONS
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS

Stated = dict[str, Any]

TEXT = 'cls_head.text_encoder'
MODEL = 'model'  # in 'meta' of what was converted: what its origin stated
_ARCHS = {'backbone': VISION_ARCHS, TEXT: TEXT_ARCHS}
# Of open_clip's towers: settings that make another function of the same weights, with
# the values that do not; dropout and the like only matter to their training.
_PLAIN = {
    'no_ln_pre': (False,),
    'global_average_pool': (False,),
    'attentional_pool': (False,),
    'final_ln_after_pool': (False,),
    'pos_embed_type': ('learnable',),
    'act_kwargs': (None, {}),
    'norm_kwargs': (None, {}),
    'timm_model_name': (None, ''),
    'hf_model_name': (None, ''),
    'no_causal_mask': (False,),
    'no_pad_mask': (False,),
    'pool_type': ('tok', 'argmax'),
    'proj_bias': (False,),
    'embed_cls': (False,),
}


def stated(opened: Opened, layout: Layout | None) -> Stated:
    """Return what is stated beside a checkpoint; empty where nothing is.

    Args:
        opened: The checkpoint.
        layout: Of its tensors; None where they have our names, and its config is one
            of ours.

    Raises:
        CheckpointError: It states what no tower of ours has.
    """
    config = opened.config
    if config is not None:
        try:
            if layout is HUGGINGFACE_PAIR:  # whose towers are built from this config
                return _pixels(config.get('image_mean'), config.get('image_std'))
            return _open_clip(config) if 'model_cfg' in config else _huggingface(config)
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            ArithmeticError,
        ) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f'its config is damaged ({error})') from error
    meta = opened.extras.get('meta')
    converted = meta.get(MODEL) if isinstance(meta, Mapping) else None
    own = {} if layout else stored_config(opened.extras).get('model')
    model = converted or own
    return dict(model) if isinstance(model, Mapping) else {}


def find_setting(model: Mapping[str, Any], place: str, key: str) -> Any:
    """Return a setting of a part in a config of ours, None where it is not said.

    Args:
        model: ``model`` of a config, or a part of it.
        place: The part, such as 'backbone'.
        key: 'num_heads' or 'activation'.
    """
    part: Any = model
    for name in place.split('.'):
        part = part.get(name) if isinstance(part, Mapping) else None
    if not isinstance(part, Mapping):
        return None
    arch = part.get('arch')
    if isinstance(arch, str):
        arch = _ARCHS.get(place, {}).get(arch.lower())
    sizes = arch if isinstance(arch, Mapping) else {}
    value = part.get(key) or sizes.get(key)
    if key == 'activation':
        return 'quick_gelu' if value is None else value
    return value if type(value) is int and value > 0 else None


def _open_clip(config: Mapping[str, Any]) -> Stated:
    model = config['model_cfg']
    vision, text = model['vision_cfg'], model['text_cfg']
    for key, plain in _PLAIN.items():
        for tower in (vision, text):
            if tower.get(key, plain[0]) not in plain:
                raise CheckpointError(
                    f'open_clip_config.json says {key}={tower[key]!r}, which this '
                    'model cannot compute'
                )
    activation = 'quick_gelu' if model.get('quick_gelu') else 'gelu'
    heads = vision.get('width', 768) // vision.get('head_width', 64)
    preprocess = config.get('preprocess_cfg', {})
    return _state(
        dict(num_heads=heads, activation=activation),
        dict(num_heads=text.get('heads', 8), activation=activation),
        _pixels(preprocess.get('mean'), preprocess.get('std')),
    )


def _huggingface(config: Mapping[str, Any]) -> Stated:
    """Read ``CLIPConfig``, whose defaults are those of B/32; of X-CLIP's, activations.

    The heads of an X-CLIP are compared by `compare_config`.
    """
    is_xclip = config.get('model_type') == 'xclip' or 'prompt_layers' in config
    towers: dict[str, Stated] = {}
    for name, heads in (('vision', 12), ('text', 8)):
        tower = dict(config.get(f'{name}_config') or {})
        tower |= config.get(f'{name}_config_dict') or {}  # of old files, wins
        if tower.get('layer_norm_eps', 1e-5) != 1e-5:
            raise CheckpointError(
                f'config.json says layer_norm_eps={tower["layer_norm_eps"]!r}; every '
                'CLIP that this model can be has 1e-05'
            )
        settings = dict(activation=tower.get('hidden_act', 'quick_gelu'))
        if not is_xclip:
            settings['num_heads'] = tower.get('num_attention_heads', heads)
        towers[name] = settings
    pixels = {}
    if not is_xclip:
        pixels = _pixels(config.get('image_mean'), config.get('image_std'))
    model = _state(towers['vision'], towers['text'], pixels)
    if is_xclip:  # MIT is made of the vision tower's layers
        model['neck'] = dict(activation=towers['vision']['activation'])
    return model


def _state(vision: Stated, text: Stated, pixels: Stated) -> Stated:
    for tower in (vision, text):
        if tower['activation'] not in ACTIVATIONS:
            raise CheckpointError(
                f'its config says the activation {tower["activation"]!r}; this model '
                f'has {" or ".join(ACTIVATIONS)}'
            )
    head = {'text_encoder': {'arch': text}}
    return {'backbone': {'arch': vision}, 'cls_head': head, **pixels}


def _pixels(mean: Any, std: Any) -> Stated:
    """Return what normalises frames, on a scale from 0 to 255, as MMAction2 has it."""
    if not (mean and std):
        return {}
    mean, std = ([round(255 * float(x), 3) for x in values] for values in (mean, std))
    return {'data_preprocessor': dict(mean=mean, std=std)}
