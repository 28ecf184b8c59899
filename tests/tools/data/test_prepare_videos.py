import os

import cv2
import decord
import numpy as np
import pytest

TOOL = 'prepare_videos.py'


def write_video(path, width, height, num_frames=30):
    """Encode a white bar that moves over a slope."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = 'XVID' if path.suffix == '.avi' else 'mp4v'
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), 25, (width, height)
    )
    for i in range(num_frames):
        frame = np.tile(np.linspace(0, 200, width, dtype=np.uint8), (height, 1))
        frame[:, 8 * i : 8 * i + 16] = 255
        writer.write(np.stack([frame] * 3, axis=-1))
    writer.release()


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    capture.release()
    return np.array(frames)


@pytest.fixture
def folders(tmp_path):
    source = tmp_path / 'original'
    write_video(source / 'wide' / 'a b.mp4', 400, 300)
    write_video(source / 'tall.avi', 272, 480)
    write_video(source / 'small.mp4', 96, 64)
    (source / 'notes.txt').write_text('no video')
    return source, tmp_path / 'prepared'


def files(folder):
    paths = (path for path in folder.rglob('*') if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in paths)


def test_size_frames_and_content(folders, run):
    source, target = folders
    done = run(TOOL, source, target, '--psnr', '--workers', 2)
    assert done.returncode == 0, done
    assert files(target) == ['prepared.json', 'small.mp4', 'tall.mp4', 'wide/a b.mp4']
    assert float(done.stdout.split('least ')[1].split(' dB')[0]) > 35
    shapes = {'small.mp4': (64, 96), 'tall.mp4': (452, 256), 'wide/a b.mp4': (256, 342)}
    for name, shape in shapes.items():
        assert read_video(target / name).shape == (30, *shape, 3), name
        reader = decord.VideoReader(str(target / name))
        assert reader.get_key_indices() == [0, 12, 24], name
    small = read_video(source / 'small.mp4').astype(int)
    assert np.abs(read_video(target / 'small.mp4') - small).mean() < 3


def test_what_is_done_is_not_done_again(folders, run):
    source, target = folders
    run(TOOL, source, target)
    before = {name: (target / name).stat().st_mtime_ns for name in files(target)}
    (target / 'small.mp4').unlink()
    os.utime(source / 'tall.avi', (2e9, 2e9))  # a newer version of it
    done = run(TOOL, source, target)
    assert '3 videos, 1 of them done before' in done.stdout
    after = {name: (target / name).stat().st_mtime_ns for name in files(target)}
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {'small.mp4', 'tall.mp4'}


def test_broken_videos_are_listed_and_not_written(folders, run):
    source, target = folders
    data = (source / 'small.mp4').read_bytes()
    (source / 'half.mp4').write_bytes(data[: len(data) // 2])
    (source / 'empty.WEBM').touch()
    whole = bytearray((source / 'wide/a b.mp4').read_bytes())
    middle = whole.find(b'mdat') + 2000
    whole[middle : middle + 3000] = bytes(3000)  # opens, does not decode
    (source / 'damaged.mp4').write_bytes(whole)
    done = run(TOOL, source, target)
    assert done.returncode == 1
    for name in ('half.mp4', 'empty.WEBM', 'damaged.mp4'):
        assert f'broken: {source / name} (ffmpeg: ' in done.stdout
    assert files(target) == ['prepared.json', 'small.mp4', 'tall.mp4', 'wide/a b.mp4']


def test_a_title_in_another_encoding_is_no_damage(tmp_path, run):
    path = tmp_path / 'original/caf.avi'
    write_video(path, 96, 64)
    chunk = b'LIST\x12\0\0\0INFOINAM\x05\0\0\0caf\xe9\0\0'  # Latin-1
    data = bytearray(path.read_bytes())
    data[4:8] = (len(data) + len(chunk) - 8).to_bytes(4, 'little')
    path.write_bytes(data + chunk)
    done = run(TOOL, path.parent, tmp_path / 'prepared', '--psnr')
    assert done.returncode == 0, done
    assert 'PSNR' in done.stdout


def test_folders_behind_links_are_read_too(folders, run):
    source, target = folders
    elsewhere = source.rename(source.parent / 'elsewhere')
    source.mkdir()
    (source / 'class').symlink_to(elsewhere)
    (elsewhere / 'back').symlink_to(source)
    done = run(TOOL, source, target)
    assert done.returncode == 0, done
    names = ['class/small.mp4', 'class/tall.mp4', 'class/wide/a b.mp4']
    assert files(target) == [*names, 'prepared.json']
    (elsewhere / 'tall.avi').rename(elsewhere / 'away')
    (elsewhere / 'tall.avi').symlink_to('nowhere.avi')
    done = run(TOOL, source, target)
    assert f'broken: {source}/class/tall.avi (ffmpeg: ' in done.stdout
    assert '2 videos in' in done.stdout


def test_nothing_but_broken_videos(folders, run):
    source, target = folders
    for path in ('small.mp4', 'tall.avi', 'wide/a b.mp4'):
        (source / path).write_bytes(b'')
    done = run(TOOL, source, target)
    assert (done.returncode, done.stdout.count('broken: ')) == (1, 3)
    assert '0 videos in' in done.stdout


@pytest.mark.parametrize(
    ('change', 'args', 'message'),
    [
        ('twin', [], 'would both become'),
        ('inside', [], 'must not lie inside'),
        ('empty', [], 'no videos below'),
        ('settings', ['--gop', 1], 'take those settings or another folder'),
        ('', ['--workers', 0], 'workers must be at least 1'),
        ('', ['--ffmpeg', 'no-ffmpeg'], '--ffmpeg no-ffmpeg: there is no such'),
    ],
)
def test_wrong_use_is_explained(folders, run, change, args, message):
    source, target = folders
    if change == 'twin':
        write_video(source / 'small.avi', 96, 64)
    elif change == 'inside':
        target = source / 'prepared'
    elif change == 'empty':
        source = source.parent / 'nothing'
        source.mkdir()
    elif change == 'settings':
        for path in ('tall.avi', 'wide/a b.mp4'):
            (source / path).unlink()
        run(TOOL, source, target)
    done = run(TOOL, source, target, *args)
    assert done.returncode != 0
    assert message in done.stderr
