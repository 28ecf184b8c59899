"""Where training starts: the published spreads of parameters that are drawn."""

import pytest
from torch import nn

from mmxclip.models import MIT, CLIPTextEncoder, ContextVectors, VideoSpecificPrompt


def spread(tensor):
    """Root mean square, within a few percent for these sizes."""
    return pytest.approx(tensor.square().mean().sqrt().item(), rel=0.1)


def test_linear_layers_that_clip_does_not_bring():
    parts = nn.ModuleList([MIT(64), VideoSpecificPrompt(64, 96, num_heads=1)])
    layers = [layer for layer in parts.modules() if isinstance(layer, nn.Linear)]
    assert len(layers) == 3 + 2 * 6
    for layer in layers:
        assert spread(layer.weight) == 0.02
        assert layer.bias is None or not layer.bias.any()


def test_parameters_that_clip_does_not_bring():
    assert spread(MIT(64).positional_embedding) == 0.02
    assert spread(VideoSpecificPrompt(64, 96, num_heads=1).context_proj) == 1
    assert spread(ContextVectors(16, 64).vectors) == 0.02


def test_text_tower_starts_as_openais():
    """https://github.com/openai/CLIP/blob/main/clip/model.py, initialize_parameters."""
    arch = dict(embed_dims=64, depth=3, num_heads=1, out_dims=32)
    encoder = CLIPTextEncoder(dict(arch, context_length=77, vocab_size=500))
    assert spread(encoder.token_embedding.weight) == 0.02
    assert spread(encoder.positional_embedding) == 0.01
    assert spread(encoder.text_projection) == 64**-0.5
    for block in encoder.resblocks:
        assert spread(block.attn.in_proj_weight) == 64**-0.5
        assert spread(block.attn.out_proj.weight) == 64**-0.5 * 6**-0.5
        assert spread(block.mlp.c_fc.weight) == 128**-0.5
        assert spread(block.mlp.c_proj.weight) == 64**-0.5 * 6**-0.5
