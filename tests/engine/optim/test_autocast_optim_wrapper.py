"""Training in bfloat16 on any device."""

from contextlib import contextmanager
from itertools import pairwise

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


def build(model, **kwargs):
    optimizer = dict(type='SGD', lr=0.5)
    return build_optim_wrapper(
        model, dict(type='AutocastOptimWrapper', optimizer=optimizer, **kwargs)
    )


def test_products_are_in_bfloat16_and_weights_in_float32():
    model = nn.Linear(4, 2)
    wrapper = build(model)
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        out = model(torch.randn(3, 4))
    assert out.dtype == torch.bfloat16
    assert model(torch.randn(3, 4)).dtype == torch.float32
    wrapper.update_params(out.float().square().mean())
    assert model.weight.dtype == torch.float32
    assert not torch.equal(model.weight, before)


def test_steps_accumulate_as_without_autocast():
    model = nn.Linear(4, 2)
    wrapper = build(model, accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 4)
    values = [model.weight.detach().clone()]
    for _ in range(4):
        with wrapper.optim_context(model):
            out = model(torch.ones(3, 4))
        wrapper.update_params(out.float().square().mean())
        values.append(model.weight.detach().clone())
    changed = [not torch.equal(a, b) for a, b in pairwise(values)]
    assert changed == [False, True, False, True]


class Parallel(nn.Linear):
    """Counts the steps in which processes need not exchange gradients."""

    alone = 0

    @contextmanager
    def no_sync(self):
        self.alone += 1
        yield


def test_processes_exchange_only_gradients_that_are_used():
    model = Parallel(4, 2)
    wrapper = build(model, accumulative_counts=3)
    wrapper.initialize_count_status(model, 0, 6)
    for _ in range(6):
        with wrapper.optim_context(model):
            out = model(torch.ones(3, 4))
        wrapper.update_params(out.float().mean())
    assert model.alone == 4


@pytest.mark.parametrize('dtype', ['float16', 'float32'])
def test_other_types_are_refused(dtype):
    with pytest.raises(ValueError, match='AmpOptimWrapper'):
        build(nn.Linear(4, 2), dtype=dtype)
