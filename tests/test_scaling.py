"""The strategies for large models, in two processes without a GPU."""

import importlib.util

import pytest
import torch

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available(), reason='two processes would share a GPU'
)
deepspeed = pytest.mark.skipif(
    importlib.util.find_spec('deepspeed') is None,
    reason="no DeepSpeed: DS_BUILD_OPS=0 pip install 'deepspeed<0.19.7'",
)


@pytest.fixture
def small(demo, shapes, tmp_path):
    """A config that accumulates, keeps the best model and sees the same frames."""
    path = tmp_path / 'small.py'
    path.write_text(
        f"_base_ = '{demo}'\n"
        'train_cfg = dict(max_epochs=2, val_interval=1)\n'
        'train_pipeline = _base_.train_pipeline\n'
        'train_pipeline[1].test_mode = True\n'
        'train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))\n'
        'optim_wrapper = dict(accumulative_counts=2)\n'
        'default_hooks = dict(\n'
        "    checkpoint=dict(interval=1, max_keep_ckpts=3, save_best='auto')\n"
        ')\n'
    )
    return path


@pytest.fixture
def large(root, small, tmp_path):
    """Write a config that spreads the training of the small one by a strategy."""

    def write(strategy, settings):
        path = tmp_path / f'{strategy}.py'
        base = root / f'configs/_base_/strategies/{strategy}.py'
        path.write_text(f"_base_ = ['{small}', '{base}']\n{settings}")
        return path

    return write


DEEPSPEED = """
strategy = dict(gradient_accumulation_steps=_base_.optim_wrapper.accumulative_counts)
optim_wrapper = dict(
    _delete_=True,
    type='DeepSpeedOptimWrapper',
    optimizer=_base_.optim_wrapper.optimizer,
    constructor=_base_.optim_wrapper.constructor,
    paramwise_cfg=_base_.optim_wrapper.paramwise_cfg,
)
"""


@pytest.fixture
def train(two_processes, tmp_path):
    """Train in two processes; return the log and the work folder."""

    def run(config, name, *options):
        work_dir = tmp_path / name
        args = (config, '--work-dir', work_dir, '--seed', 0, *options)
        return two_processes('train.py', *args)[0], work_dir

    return run


def weights_of(path):
    checkpoint = torch.load(path, weights_only=False)
    return checkpoint['state_dict'], checkpoint['meta']['epoch']


def test_sharded_training_goes_on_where_it_stopped(large, train):
    config = large('fsdp', "optim_wrapper = dict(type='AutocastOptimWrapper')")
    _, once = train(config, 'once')
    log, again = train(config, 'again', '--resume', once / 'epoch_1.pth')
    assert 'resumed epoch: 1, iter: 2' in log
    (expected, epoch), (weights, _) = (
        weights_of(folder / 'epoch_2.pth') for folder in (once, again)
    )
    assert epoch == 2
    assert weights.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(weights[name], weight, atol=1e-6, rtol=1e-5)


@deepspeed
def test_training_by_deepspeed_is_training(tool, small, large, train):
    exact = ('--cfg-options', 'strategy.config.torch_autocast.enabled=False')
    config = large('deepspeed', DEEPSPEED)
    _, whole = train(small, 'whole')
    _, spread = train(config, 'spread', *exact)
    resume = ('--resume', spread / 'epoch_1.pth')
    log, again = train(config, 'again', *resume, *exact)
    assert 'resumed epoch: 1, iter: 2' in log
    expected, _ = weights_of(whole / 'epoch_2.pth')
    for folder in (spread, again):
        file = folder / 'epoch_2.pth/mp_rank_00_model_states.pt'
        weights = torch.load(file, weights_only=False)['module']
        assert weights.keys() == expected.keys()
        for name, weight in expected.items():
            torch.testing.assert_close(weights[name], weight, atol=1e-4, rtol=1e-3)
    (best,) = spread.glob('best_*.pth')
    log = tool('test.py', small, best)
    assert 'acc/num_videos: 5' in log
    with pytest.raises(AssertionError, match='--auto-scale-lr'):
        train(config, 'scaled', '--auto-scale-lr')


@deepspeed
def test_deepspeed_trains_in_bfloat16(large, train):
    log, _ = train(large('deepspeed', DEEPSPEED), 'spread')
    assert 'Epoch(val) [2]' in log
