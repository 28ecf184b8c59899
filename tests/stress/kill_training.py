"""Kill trainings at random moments; resumed, each must end with the same weights.

    python tests/stress/kill_training.py --kills 100
    python tests/stress/kill_training.py --kills 100 --processes 2
    python tests/stress/kill_training.py --kills 100 --by-iter

A small X-CLIP trains with tools/train.py on encoded videos, with everything that draws:
sampled frames, flips, colours, mixing, drop path, in workers of data loaders. It and
its workers are killed (SIGKILL) and it is started again with --resume until it has all
epochs. Then the last checkpoint (weights, optimizer, schedule) is compared bit for bit
with that of a training that was never stopped, and nothing else may be left behind.
"""

import argparse
import contextlib
import os
import random
import runpy
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch

import mmxclip  # noqa: F401 (once, before the trainings are forked)
from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, draw_clip

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = [
    '{root}/configs/_base_/models/xclip_tiny-p8.py',
    '{root}/configs/_base_/datasets/shape_actions.py',
    '{root}/configs/_base_/default_runtime.py',
]
classes = _base_.classes
model = dict(
    data_preprocessor=dict(blending=dict(type='RandomBatchAugment', augments=[
        dict(type='MixupBlending', num_classes=8, alpha=0.8),
        dict(type='CutmixBlending', num_classes=8, alpha=1.0)])),
    backbone=dict(drop_path_rate=0.2),
    neck=dict(num_frames=4),
    cls_head=dict(classes=classes, text_encoder=dict(arch=dict(embed_dims=16))),
)
train_pipeline = [
    dict(step, num_frames=4) if 'num_frames' in step else step
    for step in _base_.train_pipeline
]
train_pipeline[5:5] = [dict(type='Flip', flip_ratio=0.5), dict(type='VideoColorJitter')]
test_pipeline = [
    dict(step, num_frames=4) if 'num_frames' in step else step
    for step in _base_.test_pipeline
]
train_dataloader = dict(
    batch_size=4, num_workers=2,
    dataset=dict(data_root='{data}', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root='{data}', pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=4, val_interval=2)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3), accumulative_counts=2)
param_scheduler = dict(type='WarmupCosineLR', warmup=1, convert_to_iter_based=True)
default_hooks = dict(
    ema=dict(type='EMAHook'),
    checkpoint=dict(max_keep_ckpts=1, {checkpoint}))
log_level = 'ERROR'
"""


def make_data(folder: Path) -> None:
    """Encode 20 videos to train and 8 to validate on."""
    for split, count in (('train', 20), ('val', 8)):
        (folder / split).mkdir(parents=True)
        lines = []
        for i in range(count):
            action = ShapeAction('circle', 'red', list(MOTIONS)[i % len(MOTIONS)])
            path = folder / split / f'{i}.mp4'
            writer = cv2.VideoWriter(
                str(path), cv2.VideoWriter_fourcc(*'mp4v'), 8, (32, 32)
            )
            for frame in draw_clip(action, np.random.default_rng(i)):
                writer.write(frame[..., ::-1])
            writer.release()
            lines.append(f'{split}/{i}.mp4 {i % len(MOTIONS)}')
        (folder / f'{split}.txt').write_text('\n'.join(lines))


def run(command: list, work_dir: Path, processes: int, after: float | None) -> bool:
    """Run a tool, but for at most so many seconds.

    Args:
        command: Name of the tool and its arguments but --work-dir.
        work_dir: Its work folder; what it prints goes to a file beside it.
        processes: Number of them.
        after: Seconds until all are killed; None: never.

    Returns:
        bool: Whether it came to its end.
    """
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        port = server.getsockname()[1]
    alive = [
        _fork(command, work_dir, rank, processes, port) for rank in range(processes)
    ]
    deadline = time.monotonic() + (600 if after is None else after)
    while alive and time.monotonic() < deadline:
        for pid in alive[:]:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                alive.remove(pid)
                _kill(pid)
                if status:
                    for other in alive:
                        _kill(other)
                    log = work_dir.with_suffix('.log').read_text()
                    sys.exit(f'{command[0]} failed:\n{log[-3000:]}')
        time.sleep(0.005)
    for pid in random.sample(alive, len(alive)):
        _kill(pid)
    for pid in alive:
        os.waitpid(pid, 0)
    return not alive


def _fork(command: list, work_dir: Path, rank: int, processes: int, port: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)  # with its workers
    torch.set_num_threads(1)  # threads that did not come along would be waited for
    warnings.simplefilter('ignore')  # no errors, also where pytest forks
    sys.stdout = sys.stderr = work_dir.with_suffix('.log').open('a')
    os.dup2(sys.stdout.fileno(), 1)
    os.dup2(sys.stdout.fileno(), 2)
    sys.argv = [*map(str, command), '--work-dir', str(work_dir)]
    if processes > 1:
        sys.argv += ['--launcher', 'pytorch']
        os.environ.update(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
            MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port),
        )  # fmt: skip
    status = 1
    try:
        runpy.run_path(str(ROOT / 'tools' / command[0]), run_name='__main__')
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def last(work_dir: Path) -> dict:
    """Read what a training left."""
    path = work_dir / Path((work_dir / 'last_checkpoint').read_text()).name
    return torch.load(path, weights_only=False)


def differences(one: object, other: object, name: str = '') -> list[str]:
    """Name what is not the same in two checkpoints."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [name]
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return [f'{name}: keys']
        found = [differences(one[k], other[k], f'{name}.{k}') for k in one]
        return [each for part in found for each in part]
    if isinstance(one, (list, tuple)):
        pairs = zip(one, other, strict=True)
        found = [differences(a, b, f'{name}.{i}') for i, (a, b) in enumerate(pairs)]
        return [each for part in found for each in part]
    return [] if one == other else [name]


def main() -> None:
    """Kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--by-iter', action='store_true', help='save every 2 steps')
    parser.add_argument('--seed', type=int, default=0)
    args = vars(parser.parse_args())
    random.seed(args.pop('seed'))
    with tempfile.TemporaryDirectory() as folder:
        kill_all(Path(folder), **args)


def kill_all(
    folder: Path, *, kills: int, processes: int = 1, by_iter: bool = False
) -> None:
    """Kill at least so often; exits where something is wrong."""
    make_data(folder / 'data')
    config = folder / 'config.py'
    by_iter = 'by_epoch=False, interval=2, save_best=None' if by_iter else ''
    config.write_text(
        CONFIG.format(root=ROOT, data=folder / 'data', checkpoint=by_iter)
    )
    begin = time.monotonic()
    command = ['train.py', config, '--resume']
    run(command, folder / 'whole', processes, None)
    seconds = time.monotonic() - begin
    parts = ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers')
    files = sorted(p.name for p in (folder / 'whole').glob('*.*') if p.is_file())
    whole = last(folder / 'whole')
    print(f'never stopped: {seconds:.1f} s, left {files}', flush=True)
    killed = trainings = 0
    while killed < kills:
        work_dir = folder / f'killed{trainings}'
        longest = 0.8 * seconds  # more each time, or a busy machine never ends
        while not run(command, work_dir, processes, random.uniform(0, longest)):
            longest *= 1.2
            killed += 1
        trainings += 1
        resumed = last(work_dir)
        wrong = [
            n for part in parts for n in differences(whole[part], resumed[part], part)
        ]
        left = sorted(p.name for p in work_dir.glob('*.*') if p.is_file())
        hidden = [p.name for p in work_dir.rglob('.*')]
        if wrong or left != files or hidden:
            sys.exit(f'{len(wrong)} differ, first {wrong[:3]}; left {left} {hidden}')
        shutil.rmtree(work_dir)
        print(f'{killed} kills, {trainings} trainings: all equal', flush=True)


if __name__ == '__main__':
    main()
