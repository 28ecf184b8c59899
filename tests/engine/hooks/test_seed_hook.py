"""A resumed training equals one that was never stopped, bit for bit."""

import pytest
import torch

ITER_LOOP = dict(
    train_cfg=dict(type='IterBasedTrainLoop', max_iters=14),
    val_dataloader=None,
    val_cfg=None,
    val_evaluator=None,
)


def state(runner):
    optimizer = runner.optim_wrapper.state_dict()['state'].values()
    moments = [state['exp_avg_sq'] for state in optimizer]
    return [*runner.model.state_dict().values(), *moments]


def assert_same(one, other):
    for a, b in zip(state(one), state(other), strict=True):
        assert torch.equal(a, b)


def test_draws_differ_between_epochs_and_seeds(train):
    one, two = (
        train(str(seed), epochs=1, randomness=dict(seed=seed)) for seed in (5, 6)
    )
    assert not torch.equal(one.model.layer.weight, two.model.layer.weight)
    loader = one.train_dataloader
    samples = []
    for epoch in range(2):
        loader.batch_sampler.sampler.set_epoch(epoch)
        drawn = [sample for batch in loader for sample in batch['inputs']]
        samples += [tuple(sample[:3].tolist()) for sample in drawn]
    assert len(set(samples)) == 14


@pytest.mark.slow
@pytest.mark.parametrize(('resume', 'workers'), [(1, 2), (2, 0), (3, 0)])
def test_resumed_behind_an_epoch(train, resume, workers):
    """Three batches are one step and four an epoch: gradients wait at the end of it."""
    hook = dict(max_keep_ckpts=-1)
    whole = train('whole', hook=hook)
    resumed = train('whole', hook=hook, resume=f'epoch_{resume}.pth', workers=workers)
    assert_same(resumed, whole)


@pytest.mark.slow
@pytest.mark.parametrize('resume', [4, 6, 7])
def test_resumed_within_an_epoch(train, resume):
    hook = dict(by_epoch=False, interval=1, max_keep_ckpts=-1)
    whole = train('whole', hook=hook)
    resumed = train('whole', hook=hook, resume=f'iter_{resume}.pth')
    assert resumed.iter == 16
    assert_same(resumed, whole)


def test_resumed_in_a_training_by_iterations(train):
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(type='DrawnNumbers'),
        sampler=dict(type='InfiniteSampler', shuffle=True),
        batch_sampler=dict(type='SeededBatchSampler', drop_last=True),
    )
    options = dict(ITER_LOOP, train_dataloader=loader)
    hook = dict(by_epoch=False, interval=5, max_keep_ckpts=-1)
    whole = train('whole', hook=hook, **options)
    assert_same(train('whole', hook=hook, resume='iter_10.pth', **options), whole)


def test_the_middle_of_an_epoch_needs_batches_that_can_be_skipped(train):
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(type='DrawnNumbers'),
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    hook = dict(by_epoch=False, interval=1, max_keep_ckpts=-1)
    train('whole', hook=hook, epochs=1)
    with pytest.raises(ValueError, match=r'epoch 1.*SeededBatchSampler'):
        train('whole', hook=hook, resume='iter_2.pth', train_dataloader=loader)
