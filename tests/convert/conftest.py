"""Random weights of every size and layout."""

import sys
from collections.abc import Callable
from runpy import run_path

import pytest
import torch

from mmxclip.convert import Geometry, StateDict, from_mmxclip


@pytest.fixture(scope='session')
def random_weights() -> Callable[[Geometry], StateDict]:
    """Function that makes random parameters of a recognizer of given sizes."""

    def make(geometry: Geometry) -> StateDict:
        weights = {
            name: 0.1 * torch.randn(shape) + float('ln' in name and 'weight' in name)
            for name, shape in geometry.shapes().items()
        }
        weights['cls_head.logit_scale'] = torch.tensor(3.0)
        return weights

    return make


@pytest.fixture
def tiny() -> Geometry:
    """Sizes with different numbers everywhere, so that no two can be mixed up."""
    return Geometry(
        patch_size=16,
        img_size=32,
        embed_dims=64,
        depth=3,
        out_dims=128,
        text_dims=192,
        text_depth=2,
        context_length=77,
        vocab_size=50,
        num_frames=4,
        mit_depth=2,
        prompt_depth=1,
    )


@pytest.fixture
def weights(random_weights, tiny: Geometry) -> StateDict:
    """Random weights of the tiny model under our names."""
    return random_weights(tiny)


@pytest.fixture
def official(weights: StateDict) -> StateDict:
    """The same under the official names."""
    return from_mmxclip(weights, 'official')[0]


@pytest.fixture
def clip(weights: StateDict) -> StateDict:
    """Their CLIP part under OpenAI's names."""
    return from_mmxclip(weights, 'openai-clip')[0]


@pytest.fixture
def timm() -> StateDict:
    """An ImageNet ViT under timm's names."""
    dims, state = 64, {}
    for n in range(2):
        block = {
            'norm1.weight': (dims,),
            'norm1.bias': (dims,),
            'attn.qkv.weight': (3 * dims, dims),
            'attn.qkv.bias': (3 * dims,),
            'attn.proj.weight': (dims, dims),
            'attn.proj.bias': (dims,),
            'norm2.weight': (dims,),
            'norm2.bias': (dims,),
            'mlp.fc1.weight': (4 * dims, dims),
            'mlp.fc1.bias': (4 * dims,),
            'mlp.fc2.weight': (dims, 4 * dims),
            'mlp.fc2.bias': (dims,),
        }
        state |= {f'blocks.{n}.{name}': shape for name, shape in block.items()}
    state |= {
        'cls_token': (1, 1, dims),
        'pos_embed': (1, 5, dims),
        'patch_embed.proj.weight': (dims, 3, 16, 16),
        'patch_embed.proj.bias': (dims,),
        'norm.weight': (dims,),
        'norm.bias': (dims,),
        'head.weight': (1000, dims),
        'head.bias': (1000,),
    }
    return {name: torch.randn(shape) for name, shape in state.items()}


@pytest.fixture
def mmpretrain(timm: StateDict) -> StateDict:
    """The same ViT under MMPretrain's names."""
    names = {
        'cls_token': 'backbone.cls_token',
        'pos_embed': 'backbone.pos_embed',
        'patch_embed.proj.': 'backbone.patch_embed.projection.',
        'blocks.': 'backbone.layers.',
        'norm1': 'ln1',
        'norm2': 'ln2',
        'mlp.fc1': 'ffn.layers.0.0',
        'mlp.fc2': 'ffn.layers.1',
        'head.': 'head.layers.head.',
    }
    renamed = {}
    for name, tensor in timm.items():
        new = name if not name.startswith('norm.') else f'backbone.ln1.{name[5:]}'
        for old, other in names.items():
            new = new.replace(old, other)
        renamed[new] = tensor
    return renamed


@pytest.fixture
def run_tool(root, monkeypatch, capsys) -> Callable[..., str]:
    """Run a file of tools/ as its command line would; returns what it printed."""

    def run(tool: str, *args: object) -> str:
        command = [str(root / 'tools' / tool), *map(str, args)]
        monkeypatch.setattr(sys, 'argv', command)
        run_path(command[0], run_name='__main__')
        return capsys.readouterr().out

    return run
