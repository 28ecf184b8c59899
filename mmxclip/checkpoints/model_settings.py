"""The settings of the model that weights belong to, read off their shapes."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmxclip.checkpoints.clip_config import TEXT, find_setting
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS, count_heads

Settings = dict[str, dict[str, Any]]  # of each part of a recognizer

PROMPT = 'cls_head.prompt'
_TYPES = {
    'backbone': 'XCLIPViT',
    'neck': 'MIT',
    TEXT: 'CLIPTextEncoder',
    PROMPT: 'VideoSpecificPrompt',
}
QUICK = 'quick_gelu'
_MOST_LAYERS = 1000


def read_settings(
    state_dict: Mapping[str, Tensor], stored: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings of all parts off tensors under our names.

    Args:
        state_dict: The tensors. Parts that they lack get the published settings.
        stored: ``model`` of a config beside them (see `stated`): it knows heads and
            activations, of which weights bear no trace. Default: 64 channels a head,
            QuickGELU.

    Raises:
        CheckpointError: The vision tower is not there, or not that of a CLIP ViT.
    """

    def size(name: str, axis: int, rank: int, published: int = 0) -> int:
        shape = tuple(state_dict[name].shape) if name in state_dict else None
        if shape is None and published:
            return published
        if shape is None or len(shape) != rank or 0 in shape:
            raise CheckpointError(
                f'no vision transformer of CLIP, or damaged: {name} '
                + (f'has the shape {shape}' if shape else 'is missing')
            )
        return shape[axis]

    def blocks(place: str, layers: str, width: int, published: int) -> dict[str, Any]:
        sizes: dict[str, Any] = dict(
            embed_dims=width,
            depth=_count_layers(state_dict, f'{layers}.') or published,
            num_heads=find_setting(stored or {}, place, 'num_heads')
            or count_heads(width),
        )
        unusual = dict(
            mlp_dims=size(f'{layers}.0.mlp.c_fc.weight', 0, 2, 4 * width),
            activation=find_setting(stored or {}, place, 'activation') or QUICK,
        )
        usual = (4 * width, QUICK)
        return sizes | {k: v for k, v in unusual.items() if v not in usual}

    dims = size('backbone.conv1.weight', 0, 4)
    patch_size = size('backbone.conv1.weight', 3, 4)
    grid = round((size('backbone.positional_embedding', 0, 2) - 1) ** 0.5)
    usual = 768 if dims > 768 else 512
    width = size('backbone.proj', 1, 2, usual)
    text_dims = size(f'{TEXT}.positional_embedding', 1, 2, usual)
    vision = dict(
        img_size=grid * patch_size,
        patch_size=patch_size,
        **blocks('backbone', 'backbone.resblocks', dims, 0),
        out_dims=width,
    )
    text = dict(
        **blocks(TEXT, f'{TEXT}.resblocks', text_dims, 12),
        out_dims=width,
        context_length=size(f'{TEXT}.positional_embedding', 0, 2, 77),
        vocab_size=size(f'{TEXT}.token_embedding.weight', 0, 2, 49408),
    )
    neck = dict(
        num_frames=size('neck.positional_embedding', 1, 3, 8),
        **blocks('neck', 'neck.resblocks', width, 1),
    )
    if 'activation' in vision and 'neck.positional_embedding' not in state_dict:
        neck['activation'] = vision['activation']
    prompt = dict(context_dims=dims, **blocks(PROMPT, f'{PROMPT}.decoder', width, 2))
    return {
        'backbone': dict(arch=vision),
        'neck': neck,
        TEXT: dict(arch=text),
        PROMPT: prompt,
    }


def _count_layers(names: Iterable[str], prefix: str) -> int:
    rest = (name[len(prefix) :] for name in names if name.startswith(prefix))
    found = {name.split('.')[0] for name in rest}
    strange = found - {str(index) for index in range(min(len(found), _MOST_LAYERS))}
    if strange:
        raise CheckpointError(
            f'{prefix}{min(strange)} is no layer of a model that has {len(found)} '
            'there: the file is damaged'
        )
    return len(found)


def name_of_arch(settings: Settings) -> str | None:
    """Return the name of the released CLIP with these towers, None for others.

    Images may have another size than that CLIP's; where two released models differ in
    it alone, the name is that of the one that fits best.
    """
    vision, text = settings['backbone']['arch'], settings[TEXT]['arch']
    free = {'img_size': 0, 'activation': ''}  # which leave the name as it is
    names = [
        name
        for name, sizes in VISION_ARCHS.items()
        if vision | free == sizes | free and text | free == TEXT_ARCHS[name] | free
    ]
    size = vision['img_size']
    fits = (name for name in names if VISION_ARCHS[name]['img_size'] == size)
    return next(fits, names[0] if names else None)


def say_sizes(settings: Settings, *, has_mit: bool) -> str:
    """Return the sizes in words."""
    vision, arch = settings['backbone']['arch'], name_of_arch(settings)
    words = (
        f'ViT-{arch.split("@")[0].upper()} at {vision["img_size"]} pixels'
        if arch
        else 'ViT of {depth} blocks, width {embed_dims}, patch size {patch_size}, '
        '{img_size} pixels, {out_dims} joint dimensions'.format_map(vision)
    )
    if has_mit:
        words += f', {settings["neck"]["num_frames"]} frames'
        for part, what in (('neck', 'MIT'), (PROMPT, 'prompt')):
            depth = settings[part]['depth']
            words += f', {depth} {what} layer{"" if depth == 1 else "s"}'
    return words


def build_parts(settings: Settings) -> nn.Module:
    """Build the parts of a recognizer without memory: their names and shapes."""
    head, model = nn.Module(), nn.Module()
    with torch.device('meta'):
        head.logit_scale = nn.Parameter(torch.empty(()))
        for name, kind in _TYPES.items():
            owner = head if name.startswith('cls_head.') else model
            part = MODELS.build(dict(type=kind, **settings[name]))
            owner.add_module(name.removeprefix('cls_head.'), part)
    model.add_module('cls_head', head)
    return model
