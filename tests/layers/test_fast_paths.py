"""Fast paths against the plain formulas, in values and gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmxclip.layers import MLP, CrossAttention, PatchConv, SelfAttention


def plain(layer, x):
    hidden = layer.c_fc(x)
    return layer.c_proj(hidden * torch.sigmoid(1.702 * hidden))


def gradients(layer, x, forward):
    """Output, and gradients of the input and of all parameters."""
    layer.zero_grad()
    x = x.clone().requires_grad_()
    y = forward(x)
    y.square().mean().backward()
    return [y, x.grad, *(p.grad for p in layer.parameters())]


@pytest.fixture
def layer():
    layer = MLP(32)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.3)
    return layer


@pytest.mark.parametrize('shape', [(7, 32), (2, 3, 5, 32), (0, 32), (32,)])
def test_mlp_inference(layer, shape):
    x = torch.randn(shape)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), plain(layer, x), atol=1e-5, rtol=1e-5)


def test_mlp_gradients(layer):
    x = torch.randn(2, 5, 32)
    expected = gradients(layer, x, lambda x: plain(layer, x))
    for forward in (layer, lambda x: checkpoint(layer, x, use_reentrant=False)):
        for ours, theirs in zip(gradients(layer, x, forward), expected, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_mlp_skips_gradients_that_nobody_wants(layer):
    layer.requires_grad_(False)
    layer.c_proj.bias.requires_grad_()
    x = torch.randn(3, 32)
    layer(x).sum().backward()
    assert {name for name, p in layer.named_parameters() if p.grad is not None} == {
        'c_proj.bias'
    }
    torch.testing.assert_close(layer.c_proj.bias.grad, torch.full((32,), 3.0))


@pytest.mark.parametrize('needs_grad', [False, True])
def test_mlp_in_bfloat16_and_under_autocast(layer, needs_grad):
    x = torch.randn(64, 32)
    expected = plain(layer, x)
    with torch.set_grad_enabled(needs_grad), torch.autocast('cpu', torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert (y - expected).norm() < 0.02 * expected.norm()
    if needs_grad:
        y.float().sum().backward()
        assert layer.c_fc.weight.grad.dtype == torch.float32
    with torch.set_grad_enabled(needs_grad):
        y = layer.bfloat16()(x.bfloat16())
    assert (y - expected).norm() < 0.02 * expected.norm()


class Adapter(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.linear = linear

    def forward(self, x):
        return self.linear(x) + 1


@pytest.mark.parametrize(
    'kind', ['forward', 'forward_pre', 'full_backward', 'full_backward_pre']
)
@pytest.mark.parametrize('name', ['c_fc', 'gelu', 'c_proj'])
def test_mlp_calls_hooks_of_its_layers(layer, name, kind):
    calls = []
    hook = getattr(layer.get_submodule(name), f'register_{kind}_hook')
    hook(lambda *_: calls.append(1))
    layer(torch.randn(3, 32, requires_grad=True)).sum().backward()
    assert calls == [1]


def test_mlp_respects_adapters(layer):
    x = torch.randn(3, 32)
    layer.c_fc = Adapter(layer.c_fc)
    torch.testing.assert_close(layer(x), plain(layer, x))


def test_mlp_takes_another_activation(layer):
    """As models of OpenCLIP want it."""
    x = torch.randn(3, 32)
    layer.gelu = nn.GELU()
    torch.testing.assert_close(layer(x), layer.c_proj(F.gelu(layer.c_fc(x))))


def test_mlp_takes_another_forward(layer):
    """As wrappers put it on an instance."""
    x, forward = torch.randn(3, 32), layer.c_fc.forward
    layer.c_fc.forward = lambda x: 2 * forward(x)
    torch.testing.assert_close(layer(x), layer.c_proj(layer.gelu(2 * forward(x))))


def test_mlp_can_be_transformed(layer):
    x = torch.randn(3, 32)
    ours = torch.func.grad(lambda x: layer(x).sum())(x)
    torch.testing.assert_close(
        ours, torch.func.grad(lambda x: plain(layer, x).sum())(x)
    )
    with torch.no_grad():
        torch.testing.assert_close(torch.vmap(layer)(x), layer(x))
    assert 'Python' not in str(torch.jit.trace(layer, x).inlined_graph)


def test_mlp_leaves_float64_to_itself_under_autocast(layer):
    x = torch.randn(3, 32, dtype=torch.float64)
    with torch.autocast('cpu', torch.bfloat16):
        assert layer.double()(x).dtype == torch.float64


@pytest.mark.parametrize('options', [{}, dict(num_queries=5), dict(is_causal=True)])
def test_attention_trains_in_bfloat16_as_in_float32(options):
    layer, x = SelfAttention(64, 4), torch.randn(3, 7, 64)

    def forward(x):
        return layer(x, **options)

    expected = gradients(layer, x, forward)
    with torch.autocast('cpu', torch.bfloat16):
        actual = gradients(layer, x, forward)
    for ours, theirs in zip(actual, expected, strict=True):
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


def test_cross_attention_trains_in_bfloat16_as_in_float32():
    layer, x, context = CrossAttention(64, 4), *torch.randn(2, 3, 7, 64)
    expected = gradients(layer, x[:, :5], lambda x: layer(x, context))
    with torch.autocast('cpu', torch.bfloat16):
        actual = gradients(layer, x[:, :5], lambda x: layer(x, context))
    for ours, theirs in zip(actual, expected, strict=True):
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


def test_patches_as_a_convolution():
    layer, video = PatchConv(16, 4), torch.randn(2, 3, 5, 12, 8)

    def convolve(video):
        frames = video.transpose(1, 2).flatten(0, 1)
        return F.conv2d(frames, layer.weight, stride=4).flatten(2).transpose(1, 2)

    expected = gradients(layer, video, convolve)
    for ours, theirs in zip(gradients(layer, video, layer), expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
