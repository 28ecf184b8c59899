"""Two processes over gloo, without a GPU."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available(), reason='with GPUs the launcher takes nccl'
)


def metrics_of(work_dir):
    (file,) = work_dir.glob('*/*.json')
    return json.loads(file.read_text())


class Draws(Hook):
    """Writes the order of the videos and a number that mixing would draw."""

    def before_train(self, runner):
        seed = runner.train_dataloader.batch_sampler.sampler.seed
        path = f'{runner.work_dir}/{runner.rank}'
        Path(path).write_text(f'{seed} {np.random.rand()}')


@pytest.mark.usefixtures('shapes')
def test_two_processes_train_and_test_as_one(demo, tool, two_processes, tmp_path):
    HOOKS.register_module(module=Draws, force=True)
    options = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')
    options += ('custom_hooks=[{"type": "Draws"}]',)
    train = ('train.py', demo, '--work-dir', tmp_path, '--cfg-options', *options)
    assert 'MMDistributedDataParallel' in two_processes(*train)[0]
    checkpoint = tmp_path / 'epoch_1.pth'
    # What mixup, cutmix and drop path draw differs, as in the reference.
    (order, draw), (other_order, other_draw) = (
        (tmp_path / str(rank)).read_text().split() for rank in range(2)
    )
    assert order == other_order
    assert draw != other_draw

    # 5 videos: the second process has one less than the first
    for start, name in ((tool, 'one'), (two_processes, 'two')):
        out = ('--work-dir', tmp_path / name, '--dump', tmp_path / f'{name}.pkl')
        start('test.py', demo, checkpoint, *out)

    alone, together = (metrics_of(tmp_path / name) for name in ('one', 'two'))
    for timing in ('time', 'data_time'):
        del alone[timing], together[timing]
    assert together == alone
    assert alone['acc/num_videos'] == 5
    alone, together = (
        pickle.loads((tmp_path / f'{name}.pkl').read_bytes()) for name in ('one', 'two')
    )
    assert [int(x['gt_label']) for x in together] == [0, 1, 2, 3, 4]
    for a, b in zip(alone, together, strict=True):
        torch.testing.assert_close(a['pred_score'], b['pred_score'])


@pytest.mark.usefixtures('shapes')
def test_scripts_start_processes(root, demo, command, tmp_path):
    options = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')
    train = (demo, 2, '--work-dir', tmp_path / 'new', '--cfg-options', *options)
    log = command('bash', root / 'tools/dist_train.sh', *train, PORT='29655')
    assert 'GPU number: 2' in log
    assert (tmp_path / 'new/epoch_1.pth').is_file()


@pytest.mark.parametrize(
    'script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']
)
def test_scripts_explain_themselves(root, command, script):
    with pytest.raises(AssertionError, match=rf'tools/{script} .*CONFIG'):
        command('bash', root / 'tools' / script)


def test_slurm_passes_everything_on(root, command, tmp_path):
    """With a srun that only prints how it was called."""
    (tmp_path / 'srun').write_text('#!/bin/sh\necho "$MASTER_PORT $@"\n')
    (tmp_path / 'srun').chmod(0o755)
    script = root / 'tools/slurm_test.sh'
    said = command(
        *('env', f'PATH={tmp_path}:/usr/bin:/bin', 'bash', script),
        *('part', 'name', 'config.py', 'x.pth', '--dump', 'x.pkl'),
        GPUS='4',
        GPUS_PER_NODE='2',
        MASTER_PORT='12345',
        SRUN_ARGS='--quotatype=auto --exclusive',
    )
    assert said.startswith('12345 -p part --job-name=name')
    assert '--ntasks=4 --ntasks-per-node=2' in said
    assert '--quotatype=auto --exclusive python -u' in said
    assert 'config.py x.pth --launcher slurm --dump x.pkl' in said
