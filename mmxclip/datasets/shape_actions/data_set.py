"""The drawn videos as files, with their lists."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from mmxclip.datasets.shape_actions.drawing import (
    COLOURS,
    MOTIONS,
    SHAPES,
    ShapeAction,
    all_actions,
    draw_clip,
)
from mmxclip.datasets.writers.video_writer import VideoWriter
from mmxclip.utils.checks import check_choice
from mmxclip.utils.files import atomic, write_text
from mmxclip.utils.processes import Lost, map_isolated, with_progress

Labels: TypeAlias = Literal['motion', 'composition', 'attributes']
FPS = 8
_CLIPS_PER_JOB = 50  # drawn by one process without reporting


@dataclass(frozen=True)
class Plan:
    """What a data set of shape actions holds.

    Args:
        train: Number of training clips.
        val: Number of validation clips, and of unseen ones.
        labels: What a clip is labelled with: its motion; a composition ('a red circle
            moving left'), of which a part is held out; or three attributes (motion,
            colour, shape), which make a list of several labels a line.
        held_out: That part, in [0.05, 0.95].
        size: Side of the frame in pixels, a multiple of 32: decord fails at widths
            16 and 48.
        num_frames: Frames of a clip, at 8 per second.
        seed: The same plan gives the same files.

    Raises:
        ValueError: A value outside its range.
    """

    train: int = 4000
    val: int = 400
    labels: Labels = 'motion'
    held_out: float = 0.25
    size: int = 32
    num_frames: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice('labels', self.labels, Labels)
        if self.size < 32 or self.size % 32:
            raise ValueError(f'size must be a multiple of 32, got {self.size}')
        if self.num_frames < 2:
            raise ValueError(f'motion needs at least 2 frames, got {self.num_frames}')
        if min(self.train, self.val) < 1:
            raise ValueError(
                f'train and val must be at least 1, got {self.train} and {self.val}'
            )
        if self.seed < 0:
            raise ValueError(f'seed must be at least 0, got {self.seed}')
        if not 0.05 <= self.held_out <= 0.95:
            raise ValueError(f'held_out must be in [0.05, 0.95], got {self.held_out}')


class _Job(NamedTuple):
    """Consecutive clips of one split, drawn by one process."""

    folder: Path
    start: int
    actions: list[ShapeAction]
    split: int
    plan: Plan


def make_data_set(out: Path, plan: Plan, *, workers: int, force: bool = False) -> None:
    """Write the videos, lists and class names; the folder appears when all are there.

    Args:
        out: The folder.
        plan: What it holds.
        workers: Processes.
        force: Replace a folder of shape actions.

    Raises:
        OSError: The folder exists, or cannot be written.
        RuntimeError: A process was killed.
    """
    with atomic(out) as folder:
        _check_place(out, force)
        jobs = _write_lists(folder, plan)
        results = map_isolated(_write_clips, jobs, workers=workers)
        for place, result in with_progress(results, len(jobs)):
            if isinstance(result, Lost):
                raise RuntimeError(f'drawing into {jobs[place].folder} {result.reason}')


def write_clip(path: Path, frames: np.ndarray, qp: int = 14) -> None:
    """Write frames as a video of 8 frames per second with one key frame.

    Args:
        path: An .mp4 file.
        frames: RGB, uint8, (T, H, W, 3), H and W even.
        qp: Of x264; higher is smaller and worse.
    """
    options = dict(qp=str(qp), preset='veryfast')
    with VideoWriter(path, fps=FPS, gop=len(frames), options=options) as video:
        for frame in frames:
            video.write_image(frame)


def _check_place(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise FileExistsError(f'{out} exists already; use --force to replace it')
    ours = all((out / name).exists() for name in ('train.txt', 'classes.txt'))
    if out.exists() and not ours:
        raise FileExistsError(
            f'{out} holds something else than shape actions; choose another'
        )


def _write_lists(root: Path, plan: Plan) -> list[_Job]:
    rng = np.random.default_rng(plan.seed)
    compose = plan.labels == 'composition'
    seen, unseen = _hold_out(plan.held_out if compose else 0.0, rng)
    splits = [('train', plan.train, seen), ('val', plan.val, seen)]
    if compose:
        splits.append(('unseen', plan.val, unseen))
    jobs = []
    for number, (split, count, allowed) in enumerate(splits):
        (root / split).mkdir(parents=True)
        actions = _cast(allowed, count, rng)
        names = {
            'motion': [*MOTIONS],
            'composition': [str(action) for action in allowed],
            'attributes': [*MOTIONS, *COLOURS, *SHAPES],
        }[plan.labels]
        places = {name: str(place) for place, name in enumerate(names)}
        lines = [
            f'{split}/{i:05d}.mp4 {" ".join(places[name] for name in _told(plan, a))}\n'
            for i, a in enumerate(actions)
        ]
        write_text(root / f'{split}.txt', ''.join(lines))
        classes = 'unseen_classes.txt' if split == 'unseen' else 'classes.txt'
        write_text(root / classes, '\n'.join(names) + '\n')
        for start in range(0, count, _CLIPS_PER_JOB):
            part = actions[start : start + _CLIPS_PER_JOB]
            jobs.append(_Job(root / split, start, part, number, plan))
    return jobs


def _told(plan: Plan, action: ShapeAction) -> list[str]:
    """What the labels of a clip say."""
    if plan.labels == 'attributes':
        return [action.motion, action.colour, action.shape]
    return [action.motion if plan.labels == 'motion' else str(action)]


def _write_clips(job: _Job) -> None:
    plan = job.plan
    for number, action in enumerate(job.actions, job.start):
        rng = np.random.default_rng([plan.seed, job.split, number])
        frames = draw_clip(action, rng, num_frames=plan.num_frames, size=plan.size)
        write_clip(job.folder / f'{number:05d}.mp4', frames)


def _hold_out(
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


def _cast(
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
