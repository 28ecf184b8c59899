"""Whatever happens to a training, one whole checkpoint of it is there."""

import resource
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmxclip.engine import SafeCheckpointHook
from mmxclip.engine.last_checkpoint import last_checkpoint


def files(folder):
    return sorted(path.name for path in folder.rglob('*') if path.suffix == '.pth')


class Watch(Hook):
    """Note what is there while a checkpoint is made."""

    def __init__(self):
        self.seen = []

    def before_save_checkpoint(self, runner, checkpoint):
        self.seen.append(files(Path(runner.work_dir)))


@pytest.fixture
def small_files():
    """Let files of more than a thousand bytes fail, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_the_old_one_goes_when_the_new_one_is_whole(train, tmp_path):
    watch = Watch()
    train('work', epochs=3, hooks=[watch])
    assert watch.seen == [[], ['epoch_1.pth'], ['epoch_2.pth']]
    assert files(tmp_path / 'work') == ['epoch_3.pth']


def test_the_best_one_too(train, tmp_path):
    """'auto' takes the first metric that has a rule, not the first."""
    watch = Watch()
    hook = dict(save_best='auto')
    train('work', epochs=2, hook=hook, hooks=[watch])
    best = [f'best_two_top1_epoch_{epoch}.pth' for epoch in (1, 2)]
    assert watch.seen[-2] == [best[0], 'epoch_2.pth']  # while the second is saved
    assert files(tmp_path / 'work') == [best[1], 'epoch_2.pth']


def test_a_full_disk_cuts_nothing(train, tmp_path, small_files):
    class FillDisk(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            if runner.epoch == 2:
                small_files()

    with pytest.raises(OSError, match=r'epoch_3\.pth'):
        train('work', hooks=[FillDisk()])
    assert files(tmp_path / 'work') == ['epoch_2.pth']
    assert last_checkpoint(tmp_path / 'work').endswith('epoch_2.pth')
    torch.load(tmp_path / 'work/epoch_2.pth', weights_only=True)


def test_what_a_kill_left_goes_when_training_resumes(train, tmp_path):
    train('work', epochs=2)
    left = tmp_path / 'work/epoch_1.pth'
    left.write_bytes(b'')  # killed between the new one's coming and the old one's going
    train('work', epochs=3, resume='epoch_2.pth')
    assert files(tmp_path / 'work') == ['epoch_3.pth']


@pytest.mark.parametrize(
    ('interval', 'resume', 'validated'),
    [(1, 1, [1, 2, 3]), (2, 1, [2, 3]), (2, 2, [2, 3]), (2, 3, [3])],
)
def test_a_validation_that_was_due_comes_first(train, interval, resume, validated):
    class Note(Hook):
        def after_val_epoch(self, runner, metrics=None):
            epochs.append(runner.epoch)

    cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=interval)
    options = dict(train_cfg=cfg, hook=dict(save_best='auto', max_keep_ckpts=-1))
    train('work', **options)
    epochs = []
    train('work', hooks=[Note()], resume=f'epoch_{resume}.pth', **options)
    assert epochs == validated


def test_a_validation_alone_has_nothing_to_save(train):
    cfg = train('work', epochs=1).cfg
    metrics = Runner.from_cfg(dict(cfg, experiment_name='alone')).val()
    assert 'two/top1' in metrics


@pytest.mark.parametrize(
    ('options', 'error', 'name'),
    [
        (dict(intervalx=1), TypeError, 'intervalx'),
        (dict(interval='often'), ValueError, "interval.*'often'"),
        (dict(max_keep_ckpts='3'), ValueError, "max_keep_ckpts.*'3'"),
    ],
)
def test_wrong_arguments_are_named_at_once(options, error, name):
    with pytest.raises(error, match=name):
        SafeCheckpointHook(**options)
