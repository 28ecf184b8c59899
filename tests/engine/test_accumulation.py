"""Steps of a large batch, taken in small ones."""

import copy

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper


def step(model, videos, labels, parts):
    """Train once on all videos, ``parts`` at a time; return the parameters."""
    wrapper = OptimWrapper(
        torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=parts
    )
    wrapper.initialize_count_status(model, 0, parts)
    for some, their in zip(videos.chunk(parts), labels.chunk(parts), strict=True):
        samples = [ActionDataSample().set_gt_label(int(label)) for label in their]
        with wrapper.optim_context(model):
            losses = model.loss(some, samples)
        wrapper.update_params(model.parse_losses(losses)[0])
    return dict(model.named_parameters())


def test_accumulated_gradients_are_those_of_the_large_batch(tiny_model):
    model = MODELS.build(tiny_model).train()
    videos, labels = torch.randn(4, 1, 3, 4, 32, 32), torch.tensor([0, 1, 2, 3])
    before = copy.deepcopy(dict(model.named_parameters()))
    one = step(copy.deepcopy(model), videos, labels, parts=1)
    four = step(copy.deepcopy(model), videos, labels, parts=4)
    assert any(not torch.equal(one[name], before[name]) for name in one)
    for name in one:
        torch.testing.assert_close(four[name], one[name], atol=1e-6, rtol=1e-5)
