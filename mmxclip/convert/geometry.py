"""The sizes of a model, read from its tensors."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from mmxclip.convert.heads import Heads
from mmxclip.convert.report import ConversionError, Shape
from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS, Arch, count_heads

# Tensors that sizes are read from.
_AXES = {
    'backbone.conv1.weight': 4,
    'backbone.positional_embedding': 2,
    'backbone.proj': 2,
    'neck.positional_embedding': 3,
    'cls_head.text_encoder.positional_embedding': 2,
    'cls_head.text_encoder.token_embedding.weight': 2,
}


@dataclass(frozen=True)
class Geometry:
    """Sizes of an X-CLIP; parts that the tensors lack have the published sizes.

    Args:
        patch_size: Side of a patch in pixels.
        img_size: Side of a frame in pixels.
        embed_dims: Width of the vision tower, D.
        depth: Its number of blocks.
        out_dims: Width of the joint space, E.
        text_dims: Width of the text tower.
        text_depth: Its number of blocks.
        context_length: Its longest text in tokens.
        vocab_size: Its number of tokens.
        num_frames: Frames of MIT's temporal position embedding; None without MIT.
        mit_depth: Number of MIT layers.
        prompt_depth: Number of prompt layers.
        heads: Attention heads, where they are known; else 64 channels each.
    """

    patch_size: int
    img_size: int
    embed_dims: int
    depth: int
    out_dims: int
    text_dims: int
    text_depth: int
    context_length: int
    vocab_size: int
    num_frames: int | None
    mit_depth: int
    prompt_depth: int
    heads: Heads = field(default_factory=Heads)

    @property
    def arch(self) -> str | None:
        """Name of the released CLIP with these towers, None for others.

        Images may have another size than that CLIP's; where two released models
        differ in it alone, the name is that of the one that fits best.
        """
        own = {**self.vision_arch, 'img_size': 0}
        names = [
            name
            for name, sizes in VISION_ARCHS.items()
            if {**sizes, 'img_size': 0} == own and TEXT_ARCHS[name] == self.text_arch
        ]
        return min(
            names,
            key=lambda name: VISION_ARCHS[name]['img_size'] != self.img_size,
            default=None,
        )

    @property
    def vision_arch(self) -> Arch:
        """Sizes of the vision tower, as ``XCLIPViT`` takes them."""
        return {
            'img_size': self.img_size,
            'patch_size': self.patch_size,
            'embed_dims': self.embed_dims,
            'depth': self.depth,
            'num_heads': self.heads.vision or count_heads(self.embed_dims),
            'out_dims': self.out_dims,
        }

    @property
    def text_arch(self) -> Arch:
        """Sizes of the text tower, as ``CLIPTextEncoder`` takes them."""
        return {
            'embed_dims': self.text_dims,
            'depth': self.text_depth,
            'num_heads': self.heads.text or count_heads(self.text_dims),
            'out_dims': self.out_dims,
            'context_length': self.context_length,
            'vocab_size': self.vocab_size,
        }

    def describe(self) -> str:
        """Return the sizes in words."""
        if self.arch is None:
            words = (
                f'ViT of {self.depth} blocks, width {self.embed_dims}, patch size '
                f'{self.patch_size}, {self.img_size} pixels, {self.out_dims} joint '
                'dimensions'
            )
        else:
            words = f'ViT-{self.arch.split("@")[0].upper()} at {self.img_size} pixels'
        if self.num_frames is not None:
            words += (
                f', {self.num_frames} frames, {_plural(self.mit_depth, "MIT layer")}, '
                f'{_plural(self.prompt_depth, "prompt layer")}'
            )
        return words

    def shapes(self) -> dict[str, Shape]:
        """Return the name and shape of every parameter of our recognizer."""
        dims, text_dims, out_dims = self.embed_dims, self.text_dims, self.out_dims
        num_patches = (self.img_size // self.patch_size) ** 2
        vision = {
            'conv1.weight': (dims, 3, self.patch_size, self.patch_size),
            'class_embedding': (dims,),
            'positional_embedding': (1 + num_patches, dims),
            **_norm('ln_pre', dims),
            **_norm('ln_post', dims),
            'proj': (dims, out_dims),
        }
        message = {
            **_linear('message_fc', dims, dims),
            **_norm('message_ln', dims),
            **_attention('message_attn', dims),
        }
        vision |= _repeat('resblocks', self.depth, _block(dims) | message)
        mit: dict[str, Shape] = {
            'positional_embedding': (1, self.num_frames or 8, out_dims)
        }
        mit |= _repeat('resblocks', self.mit_depth, _block(out_dims))
        text = {
            'token_embedding.weight': (self.vocab_size, text_dims),
            'positional_embedding': (self.context_length, text_dims),
            **_repeat('resblocks', self.text_depth, _block(text_dims)),
            **_norm('ln_final', text_dims),
            'text_projection': (text_dims, out_dims),
        }
        prompt = {
            **_norm('context_ln', dims),
            'context_proj': (dims, out_dims),
            **_norm('norm', out_dims),
            **_repeat('decoder', self.prompt_depth, _prompt_block(out_dims)),
            'alpha': (out_dims,),
        }
        return {
            **_under('backbone', vision),
            **_under('neck', mit),
            'cls_head.logit_scale': (),
            **_under('cls_head.text_encoder', text),
            **_under('cls_head.prompt', prompt),
        }


def measure(state_dict: Mapping[str, Tensor], heads: Heads | None = None) -> Geometry:
    """Read the sizes off tensors under our names.

    Args:
        state_dict: The tensors.
        heads: Attention heads, which tensors do not tell.

    Raises:
        ConversionError: The vision tower is not there, or not that of a CLIP ViT.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state_dict.items()}
    for name, axes in _AXES.items():
        if name in shapes and len(shapes[name]) != axes:
            raise ConversionError(
                f'{name} has the shape {shapes[name]} instead of {axes} axes: it is '
                'not a ViT of CLIP, or damaged'
            )
    missing = [
        name
        for name in ('backbone.conv1.weight', 'backbone.positional_embedding')
        if name not in shapes
    ]
    if missing:
        raise ConversionError(
            f'no vision transformer: {" and ".join(missing)} missing after conversion'
        )
    dims, _, _, patch_size = shapes['backbone.conv1.weight']
    grid = round((shapes['backbone.positional_embedding'][0] - 1) ** 0.5)
    large = dims > 768
    text = 'cls_head.text_encoder.'
    context_length, text_dims = shapes.get(
        text + 'positional_embedding', (77, 768 if large else 512)
    )
    frames = shapes.get('neck.positional_embedding')
    return Geometry(
        patch_size=patch_size,
        img_size=grid * patch_size,
        embed_dims=dims,
        depth=count_layers(shapes, 'backbone.resblocks'),
        out_dims=shapes.get('backbone.proj', (dims, 768 if large else 512))[-1],
        text_dims=text_dims,
        text_depth=count_layers(shapes, text + 'resblocks') or 12,
        context_length=context_length,
        vocab_size=shapes.get(text + 'token_embedding.weight', (49408,))[0],
        num_frames=frames[1] if frames else None,
        mit_depth=count_layers(shapes, 'neck.resblocks') or 1,
        prompt_depth=count_layers(shapes, 'cls_head.prompt.decoder') or 2,
        heads=heads or Heads(),
    )


def count_layers(names: Iterable[str], prefix: str) -> int:
    """Return one more than the largest layer index under a prefix, 0 for none."""
    pattern = re.compile(re.escape(prefix) + r'\.(\d+)\.')
    found = (pattern.match(name) for name in names)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def _plural(count: int, what: str) -> str:
    return f'{count} {what}' + ('s' if count != 1 else '')


def _under(prefix: str, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    return {f'{prefix}.{name}': shape for name, shape in shapes.items()}


def _repeat(prefix: str, depth: int, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    layers = (_under(f'{prefix}.{index}', shapes) for index in range(depth))
    return {name: shape for layer in layers for name, shape in layer.items()}


def _norm(name: str, dims: int) -> dict[str, Shape]:
    return {f'{name}.weight': (dims,), f'{name}.bias': (dims,)}


def _linear(name: str, in_dims: int, out_dims: int) -> dict[str, Shape]:
    return {f'{name}.weight': (out_dims, in_dims), f'{name}.bias': (out_dims,)}


def _attention(name: str, dims: int) -> dict[str, Shape]:
    return {
        f'{name}.in_proj_weight': (3 * dims, dims),
        f'{name}.in_proj_bias': (3 * dims,),
        **_linear(f'{name}.out_proj', dims, dims),
    }


def _mlp(dims: int) -> dict[str, Shape]:
    return {
        **_linear('mlp.c_fc', dims, 4 * dims),
        **_linear('mlp.c_proj', 4 * dims, dims),
    }


def _block(dims: int) -> dict[str, Shape]:
    return {
        **_norm('ln_1', dims),
        **_attention('attn', dims),
        **_norm('ln_2', dims),
        **_mlp(dims),
    }


def _prompt_block(dims: int) -> dict[str, Shape]:
    return {
        **_norm('ln_1', dims),
        **{f'cross_attn.{q}_proj.weight': (dims, dims) for q in 'qkv'},
        **_linear('cross_attn.out_proj', dims, dims),
        **_norm('ln_2', dims),
        **_mlp(dims),
    }
