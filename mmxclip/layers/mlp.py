"""CLIP's MLP, as few passes over its wide hidden layer as eager torch allows.

With s = 1.702, QuickGELU is ``silu(s * h) / s``. Both factors move into the matrix
products around it, which scale their result at no cost, so that SiLU is the only
elementwise pass. For the backward pass the hidden layer is kept once, not twice.

References:
    https://github.com/openai/CLIP/blob/main/clip/model.py (ResidualAttentionBlock)
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmxclip.layers.activation import QuickGELU
from mmxclip.layers.precision import autocast_dtype

# Bytes of the hidden layer that exist at once in inference on a CPU. glibc returns
# larger blocks to the kernel at once, and getting them back costs more than SiLU.
HIDDEN_BYTES = 24 * 2**20


class MLP(nn.Module):
    """Two linear layers around QuickGELU, four times wider inside.

    They are fused, unless there is something in their place or around them. Gradients
    of the fused layers cannot be differentiated again; ``torch.func`` takes the layers
    one by one.

    Args:
        embed_dims: Width D of input and output.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(embed_dims, 4 * embed_dims)
        self.gelu = QuickGELU()
        self.c_proj = nn.Linear(4 * embed_dims, embed_dims)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) -> (..., D)."""
        if _is_transformed() or not self._is_plain():
            return self.c_proj(self.gelu(self.c_fc(x)))
        return fused_mlp(
            x, self.c_fc.weight, self.c_fc.bias, self.c_proj.weight, self.c_proj.bias
        )

    def _is_plain(self) -> bool:
        linear = (self.c_fc, self.c_proj)
        return _is_bare(self.gelu, QuickGELU) and all(
            # Of another type are weights that are sharded or quantised.
            _is_bare(layer, nn.Linear) and type(layer.weight) is nn.Parameter
            for layer in linear
        )


def fused_mlp(
    x: Tensor, weight_1: Tensor, bias_1: Tensor, weight_2: Tensor, bias_2: Tensor
) -> Tensor:
    """Compute ``linear_2(QuickGELU(linear_1(x)))``.

    Args:
        x: Tokens (..., D).
        weight_1: (H, D).
        bias_1: (H,).
        weight_2: (D', H).
        bias_2: (D',).

    Returns:
        Tensor: (..., D').
    """
    tensors = (x, weight_1, bias_1, weight_2, bias_2)
    dtype = autocast_dtype(x)
    if dtype is not None:
        tensors = tuple(t.to(dtype) for t in tensors)
    rows, *parameters = tensors
    rows = rows.reshape(-1, rows.shape[-1])  # (M, D)
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        out = _FusedMLP.apply(rows, *parameters)
    else:
        out = _infer(rows, *parameters)
    return out.view(*x.shape[:-1], out.shape[-1])


def _infer(rows: Tensor, *parameters: Tensor) -> Tensor:
    """Run the MLP on (M, D), part by part on a CPU."""
    weight_1, bias_1, weight_2, bias_2 = parameters
    out = rows.new_empty(len(rows), len(weight_2))
    at_once = len(rows)
    if rows.device.type == 'cpu':
        at_once = HIDDEN_BYTES // (len(weight_1) * rows.element_size())
    at_once = max(at_once, 1)
    for part, result in zip(rows.split(at_once), out.split(at_once), strict=True):
        hidden = F.silu(_scaled_hidden(part, weight_1, bias_1), inplace=True)
        torch.addmm(bias_2, hidden, weight_2.t(), alpha=1 / QuickGELU.scale, out=result)
    return out


def _scaled_hidden(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``s * linear(rows)``, (M, D) -> (M, H)."""
    scale = QuickGELU.scale
    return torch.addmm(scale * bias, rows, weight.t(), alpha=scale)


class _FusedMLP(torch.autograd.Function):
    """The MLP on (M, D); keeps ``s * h`` only and computes SiLU again."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, *parameters: Tensor) -> Tensor:
        weight_1, bias_1, weight_2, bias_2 = parameters
        hidden = _scaled_hidden(rows, weight_1, bias_1)
        ctx.save_for_backward(rows, weight_1, hidden, weight_2)
        return torch.addmm(
            bias_2, F.silu(hidden), weight_2.t(), alpha=1 / QuickGELU.scale
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight_1, hidden, weight_2 = ctx.saved_tensors
        needs_rows, needs_w1, needs_b1, needs_w2, needs_b2 = ctx.needs_input_grad
        grad_w2 = None
        if needs_w2:
            scale = 1 / QuickGELU.scale  # beta=0: weight_2 only lends its shape
            grad_w2 = torch.addmm(
                weight_2, grad.t(), F.silu(hidden), beta=0, alpha=scale
            )
        # Here s and 1 / s cancel.
        grad_hidden = torch.ops.aten.silu_backward(grad @ weight_2, hidden)
        return (
            grad_hidden @ weight_1 if needs_rows else None,
            grad_hidden.t() @ rows if needs_w1 else None,
            grad_hidden.sum(dim=0) if needs_b1 else None,
            grad_w2,
            grad.sum(dim=0) if needs_b2 else None,
        )


def _is_bare(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a module does what its type does: no adapter, hook or other forward."""
    return (
        type(module) is kind
        and 'forward' not in vars(module)
        and not module._forward_hooks
        and not module._forward_pre_hooks
        and not module._backward_hooks
        and not module._backward_pre_hooks
    )


def _is_transformed() -> bool:
    """Whether torch wants to see the operations: to compile, trace or transform."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or torch._C._are_functorch_transforms_active()
    )
