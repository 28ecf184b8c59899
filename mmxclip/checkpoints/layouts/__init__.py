"""Other code bases' names of our parameters: one renaming table each."""

from collections.abc import Collection, Container

from mmxclip.checkpoints.layouts.huggingface import (
    HUGGINGFACE,
    HUGGINGFACE_CLIP,
    HUGGINGFACE_PAIR,
)
from mmxclip.checkpoints.layouts.imagenet_vit import IMAGENET_VIT
from mmxclip.checkpoints.layouts.official import XCLIP_OFFICIAL
from mmxclip.checkpoints.layouts.openai_clip import OPENAI_CLIP
from mmxclip.checkpoints.layouts.renaming import Layout, StateDict
from mmxclip.checkpoints.report import CheckpointError, some

__all__ = [
    'HUGGINGFACE',
    'HUGGINGFACE_CLIP',
    'HUGGINGFACE_PAIR',
    'LAYOUTS',
    'OPENAI_CLIP',
    'TARGETS',
    'Layout',
    'StateDict',
    'find_layout',
    'identify',
]

# Of layouts that know equally many names of a file, its layout is that by which the
# model has most of them, else the first.
LAYOUTS = (
    OPENAI_CLIP,
    XCLIP_OFFICIAL,
    HUGGINGFACE,
    HUGGINGFACE_CLIP,
    HUGGINGFACE_PAIR,
    IMAGENET_VIT,
)
TARGETS = {
    'official': XCLIP_OFFICIAL,
    'huggingface': HUGGINGFACE,
    'openai-clip': OPENAI_CLIP,
}
_OUR_SLOTS = ('neck.', 'cls_head.text_encoder.', 'cls_head.prompt.')
# What people try, by a name that it has, and one that it lacks; why it cannot work.
_STRANGERS = {
    ('visual.layer1.0.conv1.weight', ''): 'a CLIP with a ResNet; X-CLIP needs a ViT',
    ('text.transformer.resblocks.0.ln_1.weight', ''): (
        'an open_clip model with a custom text tower, which is not one of CLIP'
    ),
}


def identify(names: Collection[str], ours: Container[str] = ()) -> Layout | None:
    """Find the layout that knows most of a file's names.

    Args:
        names: Names of its tensors.
        ours: Names of the model's parameters. Without a model, those of an X-CLIP,
            or of its slots.

    Returns:
        The layout; None where the names are ours.

    Raises:
        CheckpointError: No layout knows even a quarter; the message says what it is.
    """
    for (there, missing), description in _STRANGERS.items():
        if there in names and missing not in names:
            raise CheckpointError(f'this is {description}.')
    layout = find_layout(names, ours)
    strange = ours and layout and _fits(layout, names, ours) < len(names) / 4
    if layout is HUGGINGFACE_PAIR and strange:
        raise CheckpointError(
            'this is a SigLIP, or another pair of Hugging Face, whose towers are not '
            "those of a CLIP: take type='HFVisionTower' in a FrameEncoder, and "
            "type='HFTextEncoder' (docs/howto/which_clip.md)."
        )
    known = sum(map(ours.__contains__ if ours else _is_ours, names))
    if layout and known < _coverage(layout, names):
        return layout
    if known < max(1, len(names) / 4):
        raise CheckpointError(
            f'these {len(names)} tensors belong to no model that is known '
            f'({some(list(names)) or "no tensors at all"}). Known are: OpenAI CLIP and '
            'open_clip ViTs, CLIP and X-CLIP of Hugging Face, official X-CLIP, timm '
            'and MMPretrain ViTs, and checkpoints of mmxclip.'
        )
    return None


def find_layout(names: Collection[str], ours: Container[str] = ()) -> Layout | None:
    """Return the foreign layout that knows most names, if that is a quarter."""
    best = max(
        LAYOUTS,
        key=lambda layout: (_coverage(layout, names), _fits(layout, names, ours)),
    )
    return best if _coverage(best, names) >= max(1, len(names) / 4) else None


def _is_ours(name: str) -> bool:
    return name.startswith(_OUR_SLOTS) or XCLIP_OFFICIAL.can_name(name)


def _coverage(layout: Layout, names: Collection[str]) -> int:
    return sum(layout.find(name) is not None for name in names)


def _fits(layout: Layout, names: Collection[str], ours: Container[str]) -> int:
    return sum(layout.our_name(name) in ours for name in names)
