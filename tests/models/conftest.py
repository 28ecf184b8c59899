"""A head at toy size and what a neck gives it."""

import pytest
import torch


@pytest.fixture
def cfg(tiny_model):
    return tiny_model['cls_head']


@pytest.fixture
def feats():
    return torch.randn(3, 16), torch.randn(3, 4, 4, 32)
