"""Make the shape-actions data set: short videos, no download.

Example::

    python tools/data/make_shape_actions.py --out data/shape_actions

writes::

    data/shape_actions/
        train/00000.mp4 ...  H.264 videos
        val/00000.mp4 ...
        train.txt, val.txt   'path label' per line, paths relative to the folder
        classes.txt          class names, line number = label

With ``--labels composition`` a class is a sentence ('a red circle moving
left'), part of the combinations is held out of train and val, and a third split
holds only these: ``unseen/``, ``unseen.txt`` and ``unseen_classes.txt``, with
labels of its own that count from 0.

The same options and seed give the same files, whatever the number of workers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from mmengine.utils import track_progress_rich

from mmxclip.datasets.shape_actions import MOTIONS, ShapeAction, all_actions, draw_clip

FPS = 8
CLIPS_PER_JOB = 50  # one encoder process writes this many files


@dataclass(frozen=True)
class Job:
    """Consecutive clips of one split, drawn and encoded together."""

    folder: Path
    start: int
    actions: list[ShapeAction]
    seed: tuple[int, int]
    num_frames: int
    size: int


def write_clips(job: Job) -> None:
    """Draw the clips of a job and encode each into a file of its own.

    One encoder takes all clips as one stream and cuts it at every clip's first
    frame, a key frame: ten times faster than a process per file. The quantiser
    is constant, so that a clip does not depend on the one before it.

    Raises:
        RuntimeError: the encoder failed.
    """
    clips = [
        draw_clip(
            action,
            np.random.default_rng([*job.seed, job.start + i]),
            num_frames=job.num_frames,
            size=job.size,
        )
        for i, action in enumerate(job.actions)
    ]
    source = f'-f rawvideo -pix_fmt rgb24 -s {job.size}x{job.size} -r {FPS} -i -'
    codec = (
        f'-c:v libx264 -preset veryfast -qp 14 -bf 0 -pix_fmt yuv420p -threads 1 '
        f'-g {job.num_frames} -keyint_min {job.num_frames} -sc_threshold 0'
    )
    target = (
        f'-f segment -segment_time {job.num_frames / FPS} -reset_timestamps 1 '
        f'-segment_start_number {job.start}'
    )
    done = subprocess.run(
        [
            *[get_ffmpeg_exe(), '-v', 'error'],
            *f'{source} {codec} {target}'.split(),
            str(job.folder / '%05d.mp4'),
        ],
        input=np.concatenate(clips).tobytes(),
        capture_output=True,
        check=False,
    )
    last = job.folder / f'{job.start + len(clips) - 1:05d}.mp4'
    if done.returncode or not last.exists():
        raise RuntimeError(
            f'encoding {len(clips)} clips into {job.folder} failed: '
            f'{done.stderr.decode(errors="replace").strip() or "files are missing"}'
        )


def hold_out(
    fraction: float, rng: np.random.Generator
) -> tuple[list[ShapeAction], list[ShapeAction]]:
    """Split all combinations into seen and held-out ones, evenly over motions."""
    seen: list[ShapeAction] = []
    unseen: list[ShapeAction] = []
    for motion in MOTIONS:
        actions = [action for action in all_actions() if action.motion == motion]
        held = set(rng.permutation(len(actions))[: round(fraction * len(actions))])
        for i, action in enumerate(actions):
            (unseen if i in held else seen).append(action)
    return seen, unseen


def cast(
    actions: list[ShapeAction], count: int, rng: np.random.Generator
) -> list[ShapeAction]:
    """Choose the action of each of ``count`` clips, balanced over the motions."""
    by_motion = [
        [actions[i] for i in rng.permutation(len(actions)) if actions[i].motion == m]
        for m in MOTIONS
    ]
    chosen = []
    for i in range(count):
        group = by_motion[i % len(by_motion)]
        chosen.append(group[i // len(by_motion) % len(group)])
    return chosen


def make_data_set(args: argparse.Namespace, root: Path) -> None:
    """Write the whole data set into an existing empty folder."""
    rng = np.random.default_rng(args.seed)
    compose = args.labels == 'composition'
    seen, unseen = hold_out(args.held_out if compose else 0.0, rng)
    splits = [('train', args.train, seen), ('val', args.val, seen)]
    if compose:
        splits.append(('unseen', args.val, unseen))

    jobs = []
    for number, (split, count, allowed) in enumerate(splits):
        (root / split).mkdir()
        actions = cast(allowed, count, rng)
        names = [str(a) for a in allowed] if compose else list(MOTIONS)
        labels = [names.index(str(a) if compose else a.motion) for a in actions]
        lines = [f'{split}/{i:05d}.mp4 {label}' for i, label in enumerate(labels)]
        (root / f'{split}.txt').write_text('\n'.join(lines) + '\n')
        classes = 'unseen_classes.txt' if split == 'unseen' else 'classes.txt'
        (root / classes).write_text('\n'.join(names) + '\n')
        for start in range(0, count, CLIPS_PER_JOB):
            part = actions[start : start + CLIPS_PER_JOB]
            seed = (args.seed, number)
            jobs.append(Job(root / split, start, part, seed, args.frames, args.size))
    track_progress_rich(
        write_clips,
        [(job,) for job in jobs],
        nproc=args.workers,
        description=f'{len(jobs)} x {CLIPS_PER_JOB} clips',
    )


def parse_args() -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/shape_actions'), help='folder to make')
    add('--train', type=int, default=4000, help='number of training clips')
    add('--val', type=int, default=400, help='clips per validation split')
    add('--labels', choices=['motion', 'composition'], default='motion')
    add(
        '--held-out',
        type=float,
        default=0.25,
        help='fraction of the combinations kept for the unseen split '
        '(--labels composition only)',
    )
    add('--size', type=int, default=32, help='side of the frame, a multiple of 32')
    add('--frames', type=int, default=16, help=f'frames per clip, at {FPS} per second')
    add('--seed', type=int, default=0)
    add('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    add('--force', action='store_true', help='replace the folder if it exists')
    args = parser.parse_args()
    args.out = args.out.absolute()
    if args.workers < 1 or args.seed < 0:
        parser.error('--workers must be at least 1 and --seed at least 0')
    if args.size < 32 or args.size % 32:  # decord fails at widths 16 and 48
        parser.error(f'--size is {args.size}; it must be a multiple of 32')
    if args.frames < 2:
        parser.error(f'--frames is {args.frames}; motion needs at least 2')
    if min(args.train, args.val) < 1:
        parser.error('--train and --val must be at least 1')
    if not 0.05 <= args.held_out <= 0.95:
        parser.error(f'--held-out is {args.held_out}; it must be in [0.05, 0.95]')
    return args


def main() -> None:
    """Make the data set beside its place, then move it there in one step."""
    args = parse_args()
    out: Path = args.out
    if out.exists():
        if not args.force:
            sys.exit(f'{out} exists already; use --force to replace it')
        if not all((out / name).exists() for name in ('train.txt', 'classes.txt')):
            sys.exit(f'{out} holds something else than shape actions; choose another')
    try:
        write_beside_then_move(args, out)
    except OSError as error:
        sys.exit(f'error: cannot write {out}: {error}')
    print(f'{out}: {args.train} training and {args.val} validation clips')


def write_beside_then_move(args: argparse.Namespace, out: Path) -> None:
    """Make the data set in a scratch folder; an old one is there until it is done."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{out.name}-', dir=out.parent) as scratch:
        fresh = Path(scratch, 'new')
        fresh.mkdir()
        make_data_set(args, fresh)
        if not out.exists():
            fresh.rename(out)
            return
        old = Path(scratch, 'old')
        out.rename(old)
        try:
            fresh.rename(out)
        except OSError:
            old.rename(out)
            raise


if __name__ == '__main__':
    main()
