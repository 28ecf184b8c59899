"""Two processes over gloo, without a GPU."""

import json
import pickle
import socket
import sys

import pytest
import torch

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available(), reason='with GPUs the launcher takes nccl'
)


def free_port() -> str:
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return str(server.getsockname()[1])


def metrics_of(work_dir):
    (file,) = work_dir.glob('*/*.json')
    return json.loads(file.read_text())


@pytest.mark.usefixtures('shapes')
def test_two_processes_train_and_test_as_one(root, demo, command, tmp_path):
    tools, work_dir = root / 'tools', tmp_path / 'train'
    options = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')
    train = (demo, 2, '--work-dir', work_dir, '--cfg-options', *options)
    log = command('bash', tools / 'dist_train.sh', *train, PORT=free_port())
    assert 'MMDistributedDataParallel' in log
    checkpoint = work_dir / 'epoch_1.pth'

    # 5 videos: the second process has one less than the first
    one, two = (
        ('--work-dir', tmp_path / name, '--dump', tmp_path / f'{name}.pkl')
        for name in ('one', 'two')
    )
    command(sys.executable, tools / 'test.py', demo, checkpoint, *one)
    dist_test = ('bash', tools / 'dist_test.sh', demo, checkpoint, 2)
    command(*dist_test, *two, PORT=free_port())

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


SEEDS = """
import sys
import numpy as np
from mmengine.config import Config
from mmxclip.cli.launch import build_runner
cfg = Config.fromfile(sys.argv[1])
cfg.update(launcher='pytorch', work_dir=sys.argv[2])
runner = build_runner(cfg)
sampler = runner.train_loop.dataloader.sampler
open(f'{sys.argv[2]}/{runner.rank}', 'w').write(f'{sampler.seed} {np.random.rand()}')
"""


@pytest.mark.usefixtures('shapes')
def test_processes_draw_for_themselves_but_share_the_order(demo, command, tmp_path):
    """What mixup, cutmix and drop path draw differs, as in the reference."""
    (tmp_path / 'seeds.py').write_text(SEEDS)
    launch = ('torchrun', '--nproc_per_node=2', f'--master_port={free_port()}')
    command(*launch, tmp_path / 'seeds.py', demo, tmp_path)
    (order, draw), (other_order, other_draw) = (
        (tmp_path / str(rank)).read_text().split() for rank in range(2)
    )
    assert order == other_order
    assert draw != other_draw


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
