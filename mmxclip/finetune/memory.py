"""How much memory a training takes, estimated, and how much there is."""

import os
from dataclasses import dataclass
from typing import Literal

import torch
from mmengine.config import Config

from mmxclip.layers.clip_sizes import TEXT_ARCHS, VISION_ARCHS
from mmxclip.models.arch_zoo import resolve_arch

GB = 2**30
Tune = Literal['prompt', 'adapters', 'all']


@dataclass(frozen=True)
class Machine:
    """What there is to train on.

    Attributes:
        has_gpu: Whether training runs on a GPU.
        memory: Bytes that it may take.
        precision: Type of the matrix products: bfloat16 and float16 by autocast.
    """

    has_gpu: bool
    memory: float
    precision: str = 'float32'

    def __str__(self) -> str:
        return f'a {"GPU" if self.has_gpu else "CPU"} with {self.memory / GB:.0f} GB'


def find_machine(memory: float | None = None) -> Machine:
    """Look at the GPU, or else the CPU.

    Args:
        memory: GB that there are; default: what the GPU has free, or half of the
            computer's.
    """
    if torch.cuda.is_available():
        free = torch.cuda.mem_get_info()[0]
        known = 'bfloat16' if torch.cuda.is_bf16_supported() else 'float16'
        return Machine(True, memory * GB if memory else free, known)
    here = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2
    return Machine(False, memory * GB if memory else here)


@dataclass(frozen=True)
class Needs:
    """Bytes that a training takes.

    Attributes:
        fixed: Weights, gradients and moments of Adam.
        video: Activations of a video that are kept for the backward pass.
        recomputed: The same where each block is computed again.
    """

    fixed: float
    video: float
    recomputed: float


def estimate_needs(cfg: Config, *, tune: Tune, half: bool) -> Needs:
    """Estimate what a training of an X-CLIP takes.

    A block keeps 34 bytes per token and channel in half precision, or twice as many,
    and its input alone where it is recomputed.

    Args:
        cfg: Config with the model.
        tune: What learns, see :class:`Recipe`.
        half: Whether the products are of 16 bits.

    References:
        Korthikanti et al., Reducing Activation Recomputation in Large Transformer
        Models (https://arxiv.org/abs/2205.05198), section 4, with attention that keeps
        no scores.
    """
    backbone, head = cfg.model.backbone, cfg.model.cls_head
    vision = resolve_arch(backbone.get('arch', 'b/16'), VISION_ARCHS)
    text = resolve_arch(head.text_encoder.get('arch', 'b/16'), TEXT_ARCHS)
    size = backbone.get('img_size') or vision['img_size']
    tokens = (size // vision['patch_size']) ** 2 + 1
    width, depth = vision['embed_dims'], vision['depth']
    neck = cfg.model.get('neck') or {}
    numbers = neck.get('num_frames', 8) * tokens * width
    scale = 1 if half else 2
    block, whole = 34 * scale * numbers, 2 * scale * numbers
    # Attention, its twin for messages, and the MLP.
    weights = 17 * width**2 * depth
    rest = 12 * text['embed_dims'] ** 2 * text['depth']
    rest += text['vocab_size'] * text['embed_dims']
    if tune == 'prompt':
        return Needs(4 * (weights + rest), block, block)
    fixed = (16 if tune == 'all' else 4) * weights + 4 * rest
    return Needs(fixed, block * depth, whole * depth + block)
