"""The same results as the plain layers, faster or in less memory where torch is eager.

Nothing here is needed to understand the model. ``tools/benchmark.py`` on B/32 and B/16
(docs/explanation/performance.md) is what each must earn its place by.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmxclip.layers.activation import QuickGELU

_HOOKS = (
    '_forward_hooks',
    '_forward_pre_hooks',
    '_backward_hooks',
    '_backward_pre_hooks',
)


def can_fuse(linear_1: nn.Module, activation: nn.Module, linear_2: nn.Module) -> bool:
    """Whether :func:`fused_mlp` computes what calling these three does.

    Not where there is an adapter, a hook or another activation in their place, where
    weights are sharded or quantised, or where torch wants to see the operations.
    """
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and _is_bare(activation, QuickGELU)
        and all(
            _is_bare(layer, nn.Linear) and type(layer.weight) is nn.Parameter
            for layer in (linear_1, linear_2)
        )
    )


def _is_bare(module: nn.Module, kind: type[nn.Module]) -> bool:
    return (
        type(module) is kind
        and 'forward' not in vars(module)
        and not any(getattr(module, name) for name in _HOOKS)
    )


def fused_mlp(x: Tensor, linear_1: nn.Linear, linear_2: nn.Linear) -> Tensor:
    """Compute ``linear_2(QuickGELU(linear_1(x)))``, (..., D) -> (..., D').

    With s = 1.702, QuickGELU is ``silu(s * h) / s``. Both factors move into the matrix
    products around it, which scale their result at no cost, so that SiLU is the only
    pass over the hidden layer, which is four times as wide. The backward pass keeps it
    once, not twice.
    """
    tensors = (x, linear_1.weight, linear_1.bias, linear_2.weight, linear_2.bias)
    kind = x.device.type
    if kind != 'meta' and torch.is_autocast_enabled(kind) and x.dtype != torch.float64:
        dtype = torch.get_autocast_dtype(kind)
        tensors = tuple(t.to(dtype) for t in tensors)
    rows, *parameters = tensors
    rows = rows.reshape(-1, rows.shape[-1])  # (M, D)
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        out, _ = _FusedMLP.apply(rows, *parameters)
    else:
        weight_1, bias_1, weight_2, bias_2 = parameters
        hidden = F.silu(_scaled_hidden(rows, weight_1, bias_1), inplace=True)
        out = _descaled_linear(hidden, weight_2, bias_2)
    return out.view(*x.shape[:-1], out.shape[-1])


def _scaled_hidden(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``s * linear(rows)``, (M, D) -> (M, H)."""
    scale = QuickGELU.scale
    return torch.addmm(scale * bias, rows, weight.t(), alpha=scale)


def _descaled_linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``linear(rows / s)``, (M, H) -> (M, D')."""
    return torch.addmm(bias, rows, weight.t(), alpha=1 / QuickGELU.scale)


class _FusedMLP(torch.autograd.Function):
    """The MLP on (M, D); keeps ``s * h`` only and computes SiLU again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(rows: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        weight_1, bias_1, weight_2, bias_2 = parameters
        hidden = _scaled_hidden(rows, weight_1, bias_1)
        return _descaled_linear(F.silu(hidden), weight_2, bias_2), hidden

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
        rows, weight_1, _, weight_2, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(rows, weight_1, output[1], weight_2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: None) -> tuple[Tensor | None, ...]:
        rows, weight_1, hidden, weight_2 = ctx.saved_tensors
        needs_rows, needs_w1, needs_b1, needs_w2, needs_b2 = ctx.needs_input_grad
        grad_hidden = torch.ops.aten.silu_backward(grad @ weight_2, hidden)  # s cancels
        return (
            grad_hidden @ weight_1 if needs_rows else None,
            grad_hidden.t() @ rows if needs_w1 else None,
            grad_hidden.sum(dim=0) if needs_b1 else None,
            (grad / QuickGELU.scale).t() @ F.silu(hidden) if needs_w2 else None,
            grad.sum(dim=0) if needs_b2 else None,
        )


def attends_by_products(q: Tensor, k: Tensor) -> bool:
    """Whether :func:`attend_by_products` is faster than torch's fused attention.

    Whose backward pass in bfloat16 is slow on CPUs.
    """
    return (
        q.dtype == torch.bfloat16
        and q.device.type == 'cpu'
        and torch.is_grad_enabled()
        and (q.requires_grad or k.requires_grad)
        and not torch.compiler.is_compiling()
    )


def attend_by_products(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Compute attention as matrix products; shapes are those of ``attend``."""
    scores = (q * q.shape[-1] ** -0.5) @ k.mT  # (N, heads, Q, S)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(dim=-1) @ v
