"""Recognizers that are held to where their training started."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write


@pytest.fixture
def plain(tiny_model):
    return MODELS.build(copy.deepcopy(tiny_model))


@pytest.fixture
def make(tiny_model, plain, tmp_path):
    """Build a recognizer that starts from the weights of ``plain``."""
    write(tmp_path / 'start.pth', plain.state_dict())

    def make(kind, *, text=False, adapters=(), **kwargs):
        cfg = copy.deepcopy(tiny_model)
        cfg['cls_head']['text_encoder']['frozen'] = not text
        cfg['backbone']['adapters'] = adapters
        cfg.update(type=kind, start=tmp_path / 'start.pth', **kwargs)
        model = MODELS.build(cfg)
        model.load_state_dict({**model.state_dict(), **plain.state_dict()})
        return model.train()

    return make


@pytest.fixture
def batch():
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 3)]
    return torch.randn(2, 1, 3, 4, 32, 32), samples


def move(model):
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))


@pytest.mark.parametrize('adapters', [[], [dict(type='LoRA', rank=2)]])
@pytest.mark.parametrize('text', [False, True])
def test_distillation_begins_when_the_start_is_left(make, batch, text, adapters):
    model = make('DistilledRecognizer', text=text, adapters=adapters, weight=3.0)
    names = {'loss_distill_video'} | ({'loss_distill_text'} if text else set())
    losses = model.loss(*batch)
    assert names == {name for name in losses if 'distill' in name}
    assert all(losses[name] < 1e-6 for name in names)
    assert losses['loss_cls'] > 0.1
    move(model)
    losses = model.loss(*batch)
    assert all(losses[name] > 1e-3 for name in names)
    sum(losses[name] for name in names).backward()
    reached = {n for n, p in model.named_parameters() if p.grad is not None}
    assert 'video_residual.fc_2.weight' in reached
    assert any(name.startswith('backbone.resblocks.0.') for name in reached)
    assert any(n.startswith('cls_head.text_encoder') for n in reached) == text


def test_distances_are_of_directions(make, batch):
    model = make('DistilledRecognizer')
    with torch.no_grad():
        model.backbone.proj.mul_(2)  # all of the neck's input
        model.neck.positional_embedding.zero_()
        model.start.neck.positional_embedding.zero_()
        for block in (*model.neck.resblocks, *model.start.neck.resblocks):
            for layer in (block.attn.out_proj, block.mlp.c_proj):
                layer.weight.zero_()
                layer.bias.zero_()
    assert model.loss(*batch)['loss_distill_video'] < 1e-6


@pytest.mark.parametrize('kind', ['DistilledRecognizer', 'InterpolatedRecognizer'])
def test_the_start_is_no_part_of_the_model(make, plain, batch, kind, tmp_path):
    model = make(kind)
    sum(v for n, v in model.loss(*batch).items() if 'loss' in n).backward()
    assert not any(p.requires_grad or p.grad for p in model.start.parameters())
    names = {n for n, _ in model.named_parameters() if 'residual' not in n}
    assert names == {name for name, _ in plain.named_parameters()}
    move(model)
    write(tmp_path / 'tuned.pth', model.state_dict())
    load(plain, tmp_path / 'tuned.pth')
    for name, parameter in plain.named_parameters():
        assert torch.equal(parameter, model.state_dict()[name])
    assert not torch.equal(model.start.backbone.proj, model.backbone.proj)


def test_interpolated_weights_have_their_own_gradient(make, plain, batch):
    def gradients(recognizer):
        return {n: p.grad for n, p in recognizer.named_parameters() if p.requires_grad}

    model = make('InterpolatedRecognizer', weight=0.5, largest=0.8)
    move(model)
    torch.manual_seed(1)
    share = 0.8 * torch.rand(())
    torch.manual_seed(1)
    model.loss(*batch)['loss_interpolated'].backward()
    between = copy.deepcopy(plain).train()
    with torch.no_grad():
        for name, parameter in between.named_parameters():
            tuned = model.state_dict()[name]
            fresh = 'message_' in name or name.startswith(('neck', 'cls_head.prompt'))
            parameter.copy_(tuned if fresh else tuned.lerp(parameter, share))
    between.loss(*batch)['loss_cls'].backward()
    ours, theirs = gradients(model), gradients(between)
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], 0.5 * gradient, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize('kind', ['DistilledRecognizer', 'InterpolatedRecognizer'])
def test_building_the_start_draws_nothing(make, kind):
    model = make(kind)
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    assert model.start is model.start
    assert torch.equal(torch.rand(3), wanted)


def test_what_cannot_be_is_said(make, plain, tmp_path):
    with pytest.raises(ValueError, match='largest'):
        make('InterpolatedRecognizer', largest=1.0)
    model = make('DistilledRecognizer')
    write(tmp_path / 'start.pth', plain.state_dict(), 'openai-clip', force=True)
    with pytest.raises(CheckpointError, match='lacks'):
        model.start  # noqa: B018


def test_blocks_cannot_be_computed_again_at_other_weights(tiny_model):
    tiny_model['backbone']['with_cp'] = True
    with pytest.raises(ValueError, match='with_cp'):
        MODELS.build(dict(tiny_model, type='InterpolatedRecognizer'))
