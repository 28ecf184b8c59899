"""The shape-actions data: determinism, motion, and what one frame gives away."""

from pathlib import Path

import cv2
import decord
import numpy as np
import pytest

from mmxclip.datasets.shape_actions import (
    COLOURS,
    MOTIONS,
    SHAPES,
    ShapeAction,
    all_actions,
    draw_clip,
    draw_paths,
)

ATTRIBUTES = ('x', 'y', 'log_radius', 'angle')
OPPOSITES = list(zip(list(MOTIONS)[::2], list(MOTIONS)[1::2], strict=True))


@pytest.fixture(scope='session')
def make(tool):
    """Run the tool on one worker."""

    def make(out: Path, *options: str) -> None:
        tool('data/make_shape_actions.py', '--out', out, '--workers', '1', *options)

    return make


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


@pytest.fixture(scope='module')
def made(make, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('motion') / 'shapes'
    make(out, '--train', '70', '--val', '8')
    return out


@pytest.mark.slow
def test_lists_videos_and_classes_agree(made):
    names = (made / 'classes.txt').read_text().splitlines()
    assert names == list(MOTIONS)
    for split, count in (('train', 70), ('val', 8)):
        lines = [
            row.split() for row in (made / f'{split}.txt').read_text().splitlines()
        ]
        assert len(lines) == len({path for path, _ in lines}) == count
        labels = [int(label) for _, label in lines]
        assert max(np.bincount(labels)) - min(np.bincount(labels, minlength=8)) <= 1
        on_disk = sorted(str(p.relative_to(made)) for p in (made / split).iterdir())
        assert on_disk == [path for path, _ in lines]


def test_videos_show_what_was_drawn(made):
    """Every clip has its own file, also where one encoder job ends, with 16 frames."""
    for name in (
        'train/00000.mp4',
        'train/00049.mp4',
        'train/00050.mp4',
        'val/00007.mp4',
    ):
        reader = decord.VideoReader(str(made / name))
        assert len(reader) == 16
        assert reader[0].shape == (32, 32, 3)
        assert reader.get_avg_fps() == 8
    capture = cv2.VideoCapture(str(made / 'train/00000.mp4'))
    codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little')
    assert codec in (b'avc1', b'h264')


@pytest.mark.parametrize('label', range(8))
def test_the_label_is_the_motion_in_the_file(made, label):
    """Track the colourful pixels of a decoded clip."""
    rows = [row.split() for row in (made / 'train.txt').read_text().splitlines()]
    motion = list(MOTIONS)[label]
    checked = 0
    for path in (path for path, value in rows if int(value) == label):
        frames = decord.VideoReader(str(made / path)).get_batch([0, 15]).asnumpy()
        spread = np.ptp(frames.astype(int), axis=-1) > 60  # grey background
        if min(spread.sum(axis=(1, 2))) < 8:  # a white or a tiny shape
            continue
        checked += 1
        (x0, y0), (x1, y1) = (np.argwhere(mask).mean(axis=0)[::-1] for mask in spread)
        growth = spread[1].sum() / spread[0].sum()
        seen = {
            'moving left': x1 - x0 < -5,
            'moving right': x1 - x0 > 5,
            'moving up': y1 - y0 < -5,
            'moving down': y1 - y0 > 5,
            'growing': growth > 2,
            'shrinking': growth < 0.5,
        }
        assert seen.get(motion, True), (path, motion)
        others = any(hit for name, hit in seen.items() if name != motion)
        # Turning moves the bright half, which is what is tracked here.
        assert not others or 'turning' in motion, path
    assert checked


@pytest.mark.slow
def test_same_seed_same_files_whatever_the_workers(make, made, tmp_path):
    make(tmp_path / 'a', '--train', '70', '--val', '8', '--workers', '2')
    assert files(tmp_path / 'a') == files(made)
    make(tmp_path / 'b', '--train', '70', '--val', '8', '--seed', '1')
    assert files(tmp_path / 'b')['train/00000.mp4'] != files(made)['train/00000.mp4']


def test_an_existing_folder_is_kept_unless_forced(make, made, tmp_path):
    out = tmp_path / 'kept'
    out.mkdir()
    (out / 'mine.txt').write_text('precious')
    small = ('--train', '8', '--val', '8')
    with pytest.raises(SystemExit, match='--force'):
        make(out, *small)
    with pytest.raises(SystemExit, match='kept'):
        make(out, *small, '--force')
    assert files(out) == {'mine.txt': b'precious'}
    (out / 'mine.txt').unlink()
    out.rmdir()
    make(out, *small)
    before = files(out)
    make(out, *small, '--force', '--seed', '1')
    assert files(out).keys() == before.keys()
    assert files(out) != before
    assert [p.name for p in tmp_path.iterdir()] == ['kept'], 'scratch left behind'


def test_a_full_disk_leaves_nothing_behind(make, tiny_disk):
    with pytest.raises(SystemExit, match='No space left on device'):
        make(tiny_disk / 'out', '--train', '400', '--val', '8')
    assert not list(tiny_disk.iterdir())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--size', '48'], 'got 48'),
        (['--frames', '1'], 'at least 2'),
        (['--val', '0'], 'at least 1'),
        (['--workers', '0'], 'at least 1'),
        (['--seed', '-1'], 'at least 0'),
        (['--held-out', '1'], 'got 1.0'),
    ],
)
def test_bad_options_are_named(make, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as end:
        make(tmp_path / 'out', *options)
    assert message in capsys.readouterr().err + str(end.value)


@pytest.mark.slow
def test_compositions_hold_out_combinations(make, tmp_path):
    out = tmp_path / 'shapes'
    make(out, '--labels', 'composition', '--train', '150', '--val', '48')
    seen = (out / 'classes.txt').read_text().splitlines()
    unseen = (out / 'unseen_classes.txt').read_text().splitlines()
    assert sorted(seen + unseen) == sorted(str(action) for action in all_actions())
    assert len(unseen) == 48
    for words in (SHAPES, COLOURS, MOTIONS):  # each part is known from training
        assert all(any(f' {word}' in name for name in seen) for word in words)
    labels = [
        int(row.split()[1]) for row in (out / 'unseen.txt').read_text().splitlines()
    ]
    assert sorted(labels) == list(range(48))
    assert len(list((out / 'unseen').iterdir())) == 48


def paths_of(motion: str, count: int = 400) -> list[dict[str, np.ndarray]]:
    return [draw_paths(motion, np.random.default_rng(i), 16) for i in range(count)]


@pytest.mark.parametrize(('one', 'other'), OPPOSITES)
def test_opposite_motions_are_each_other_in_reverse(one, other):
    """So the set of frames of a clip cannot tell them apart, only its order."""
    for a, b in zip(paths_of(one, 20), paths_of(other, 20), strict=True):
        for name in ATTRIBUTES:
            np.testing.assert_allclose(a[name], b[name][::-1], atol=1e-12)
    moved = MOTIONS[one][0]
    assert np.ptp(paths_of(one, 1)[0][moved]) > 0.3


@pytest.fixture(scope='module')
def random_frames() -> dict[str, list[dict[str, float]]]:
    """What each motion shows in a frame at a random time, in 3,000 clips."""
    rng = np.random.default_rng(0)
    return {
        motion: [
            {name: values[moment] for name, values in paths.items()}
            for paths in paths_of(motion, 3000)
            for moment in [rng.integers(16)]
        ]
        for motion in MOTIONS
    }


@pytest.mark.slow
@pytest.mark.parametrize('name', ATTRIBUTES)
def test_a_single_frame_is_distributed_alike_in_all_classes(random_frames, name):
    """Kolmogorov-Smirnov distance between each class and all others."""
    values = {
        motion: np.array([frame[name] for frame in frames])
        for motion, frames in random_frames.items()
    }
    for motion, own in values.items():
        rest = np.concatenate([v for key, v in values.items() if key != motion])
        grid = np.sort(rest)
        steps = np.arange(1, len(grid) + 1) / len(grid)
        distance = np.abs(np.searchsorted(np.sort(own), grid) / len(own) - steps).max()
        assert distance < 0.04, (motion, distance)  # 0.1 % of equal ones exceed it


def test_frames_are_reproducible_and_depend_on_the_appearance():
    def draw(**parts):
        action = ShapeAction(
            **{'shape': 'circle', 'colour': 'red', 'motion': 'growing', **parts}
        )
        return draw_clip(action, np.random.default_rng(3), num_frames=4, size=48)

    assert draw().shape == (4, 48, 48, 3)
    assert draw().dtype == np.uint8
    assert np.array_equal(draw(), draw())
    for change in (dict(shape='square'), dict(colour='blue'), dict(motion='shrinking')):
        assert not np.array_equal(draw(), draw(**change))


def test_turning_shows_on_every_shape():
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        action = ShapeAction(shape, 'red', 'turning clockwise')
        frames = draw_clip(action, rng, num_frames=8).astype(int)
        change = np.abs(frames[4] - frames[3])[..., 0]
        assert (change > 60).sum() >= 4, shape


def test_an_unknown_shape_is_an_error():
    action = ShapeAction('star', 'red', 'growing')
    with pytest.raises(ValueError, match='star'):
        draw_clip(action, np.random.default_rng(0))
