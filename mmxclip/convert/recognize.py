"""Say which kind of checkpoint a file holds, from its tensors' names."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mmxclip.convert.heads import Heads, stored_heads
from mmxclip.convert.huggingface import HUGGINGFACE
from mmxclip.convert.imagenet_vit import MMPRETRAIN, TIMM
from mmxclip.convert.openai_clip import OPENAI_CLIP
from mmxclip.convert.reading import Opened
from mmxclip.convert.report import ConversionError
from mmxclip.convert.table import StateDict, Table
from mmxclip.convert.xclip_official import XCLIP_OFFICIAL

OURS = 'mmxclip'

# UniFormerV2's backbone has CLIP's names too, but its blocks stand one level deeper.
_OUR_BACKBONE = ('backbone.class_embedding', 'backbone.resblocks.0.ln_1.weight')
# A kind is known by names that no other kind has together; the first match decides.
_TELLTALES: tuple[tuple[Table | None, tuple[str, ...]], ...] = (
    (XCLIP_OFFICIAL, ('visual.class_embedding', 'prompts_generator.alpha')),
    (
        HUGGINGFACE,
        ('vision_model.embeddings.class_embedding', 'mit.position_embedding'),
    ),
    (OPENAI_CLIP, ('visual.class_embedding', 'ln_final.weight')),
    (None, _OUR_BACKBONE),
    (MMPRETRAIN, ('backbone.cls_token', 'backbone.patch_embed.projection.weight')),
    (TIMM, ('cls_token', 'patch_embed.proj.weight', 'blocks.0.attn.qkv.weight')),
    # Our other parts, without the backbone.
    (None, ('neck.positional_embedding', 'neck.resblocks.0.ln_1.weight')),
    (None, ('cls_head.text_encoder.token_embedding.weight',)),
    (None, ('cls_head.prompt.context_proj',)),
)
# What people try, with the reason why it cannot work.
_STRANGERS = (
    ('visual.layer1.0.conv1.weight', 'a CLIP with a ResNet; X-CLIP needs a ViT'),
    (
        'text.transformer.resblocks.0.ln_1.weight',
        'an open_clip model with a custom text tower, which is not one of CLIP',
    ),
    (
        'vision_model.embeddings.class_embedding',
        'a Hugging Face CLIP without the parts of X-CLIP; take the original from '
        'OpenAI, whose name (ViT-B/32) is accepted directly',
    ),
)
_CONTAINERS = ('state_dict', 'model', 'module')
_PREFIXES = ('module.', '_orig_mod.', 'model.')


@dataclass(frozen=True)
class Source:
    """A recognised checkpoint.

    Args:
        kind: Name of the kind: that of its table, or 'mmxclip' for our own.
        table: How its names become ours; None for our own.
        state_dict: Its tensors, under its own names.
        extras: What else the file holds, such as an optimizer's state.
        form: Form of the file.
        config: Hugging Face's ``config.json``.
        heads: Attention heads, from the config that a training stored.
    """

    kind: str
    table: Table | None
    state_dict: StateDict
    extras: tuple[str, ...]
    form: str
    config: Mapping[str, Any] | None
    heads: Heads = field(default_factory=Heads)

    def lacks(self, name: str) -> bool:
        """Whether no checkpoint of this kind has our parameter of this name."""
        return self.table is not None and self.table.is_new(name)


def recognize(opened: Opened) -> Source:
    """Find out what kind of checkpoint this is.

    Raises:
        ConversionError: It is none that is known; the message says what it looks like.
    """
    state_dict, extras = unwrap(opened.content)
    known = _known_kind(state_dict)
    if known is not None:
        kind, table = known
        heads = Heads() if table else stored_heads(opened.content)
        return Source(
            kind, table, state_dict, extras, opened.form, opened.config, heads
        )
    for name, description in _STRANGERS:
        if name in state_dict:
            raise ConversionError(f'this is {description}.')
    shown = ', '.join(list(state_dict)[:4]) or 'no tensors at all'
    raise ConversionError(
        f'these {len(state_dict)} tensors belong to no model that is known ({shown}, '
        '...). Known are: OpenAI CLIP and open_clip ViTs, official and Hugging Face '
        'X-CLIP, timm and MMPretrain ViTs, and checkpoints of mmxclip.'
    )


def foreign_kind(names: Container[str]) -> str | None:
    """Return the other code base's kind whose tensors have these names, if any."""
    known = _known_kind(names)
    return known[0] if known is not None and known[0] != OURS else None


def _known_kind(names: Container[str]) -> tuple[str, Table | None] | None:
    for table, telltales in _TELLTALES:
        if all(name in names for name in telltales):
            return (table.source if table else OURS), table
    return None


def has_our_backbone(names: Container[str]) -> bool:
    """Whether these names of a recognizer's parameters are those of one of ours."""
    return all(name in names for name in _OUR_BACKBONE)


def unwrap(content: Mapping[str, Any]) -> tuple[StateDict, tuple[str, ...]]:
    """Take the state dict out of its containers and its names out of wrappers.

    Returns:
        The tensors, without the prefixes of DataParallel and ``torch.compile``, and
        the names of everything else on the way.
    """
    extras: tuple[str, ...] = ()
    for container in _CONTAINERS:
        if isinstance(content.get(container), Mapping):
            extras += tuple(str(key) for key in content if key != container)
            content = content[container]
    state_dict = {
        str(key): value for key, value in content.items() if isinstance(value, Tensor)
    }
    extras += tuple(str(key) for key in content if str(key) not in state_dict)
    while prefix := _common_prefix(state_dict):
        state_dict = {name[len(prefix) :]: t for name, t in state_dict.items()}
    return state_dict, extras


def _common_prefix(state_dict: StateDict) -> str | None:
    """Return a wrapper's prefix that all names have; they may be wrapped twice."""
    if not state_dict:
        return None
    found = (p for p in _PREFIXES if all(name.startswith(p) for name in state_dict))
    return next(found, None)
