"""Counting multiply-adds, against arithmetic and against the published numbers."""

import pytest
import torch
import torch.nn.functional as F
from counting import build_parts, count_work
from mmengine.config import Config
from torch import nn

from mmxclip.benchmarks.flops import count_multiply_adds

# 10^9 multiply-adds of one video and one class name, 77 tokens through the text tower
# included (https://github.com/microsoft/VideoX/issues/66).
PUBLISHED = {
    ('base-p32', 8): 39,
    ('base-p32', 16): 75,
    ('base-p16', 8): 145,
    ('base-p16', 16): 287,
    ('large-p14', 8): 658,
    ('large-p14-res336', 16): 3086,
}
LINEAR = 2 * 50 * 4 * 64 * 64
PRODUCTS = 2 * 2 * 50 * 50 * 64


def by_hand(x):
    weights = (x @ x.transpose(-1, -2)).softmax(dim=-1)
    return weights @ x


@pytest.mark.slow
def test_attention_products_count_however_they_are_computed():
    x = torch.randn(2, 50, 64)
    assert count_multiply_adds(by_hand, x) == PRODUCTS
    assert count_multiply_adds(F.scaled_dot_product_attention, x, x, x) == PRODUCTS
    for training in (False, True):
        mha = nn.MultiheadAttention(64, 4, batch_first=True).train(training)
        for weights in (False, True):
            count = count_multiply_adds(
                lambda mha=mha, w=weights: mha(x, x, x, need_weights=w)
            )
            assert count == LINEAR + PRODUCTS


def test_fast_path_is_left_as_it_was():
    before = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(RuntimeError):
        count_multiply_adds(torch.mm, torch.ones(2, 3), torch.ones(2, 3))
    assert torch.backends.mha.get_fastpath_enabled() is before


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'frames'), PUBLISHED)
def test_published_gflops(root, name, frames):
    file = root / f'configs/_base_/models/xclip_{name.removesuffix("-res336")}.py'
    cfg = Config.fromfile(file).model
    if name.endswith('336'):
        cfg.backbone.arch = 'l/14@336'
    cfg.neck.num_frames = frames
    parts = build_parts(cfg)
    work = count_work(parts, frames, parts[0].img_size)
    assert work / 1e9 == pytest.approx(PUBLISHED[name, frames], rel=0.03)
