import faulthandler
import os
import re
import signal
import subprocess

import av
import cv2
import decord
import imageio_ffmpeg
import numpy as np
import pytest

from mmxclip.datasets import upright
from mmxclip.datasets.readers.whole_video import WholeVideo

pytestmark = pytest.mark.slow

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
    assert ' 1 of them done before' in done.stdout
    assert 'left out: 1 .txt' in done.stdout
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
    listed = [line for line in done.stdout.splitlines() if line.startswith('broken: ')]
    assert [name for name in ('empty.WEBM', 'half.mp4') if name in ''.join(listed)]
    assert len(listed) == 2
    (cut,) = (line for line in done.stdout.splitlines() if line.startswith('short: '))
    number = len(read_video(target / 'damaged.mp4'))
    assert 0 < number < 30
    assert f'{source}/damaged.mp4 ({number} of 30 frames' in cut
    whole = ['small.mp4', 'tall.mp4', 'wide/a b.mp4']
    assert files(target) == ['damaged.mp4', 'prepared.json', *whole]


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
    assert re.search(f'broken: .*{source}/class/tall.avi', done.stdout)
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


def encode(path, options='', codec='libx264 -pix_fmt yuv420p', size='64x48', before=''):
    """Encode 40 frames of a pattern with FFmpeg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = f'-f lavfi -i testsrc2=s={size}:r=25:d=1.6'
    command = f'{before or source} {options} -c:v {codec}'.split()
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), '-v', 'error', '-y']
    subprocess.run([*ffmpeg, *command, str(path)], check=True)
    return path


def frames(path, size=None):
    """Upright RGB frames of sequential decoding."""
    with av.open(str(path)) as container:
        best = container.streams.best('video')
        return [upright(frame) for frame in container.decode(best)]


def times(path):
    with av.open(str(path)) as container:
        decoded = container.decode(container.streams.best('video'))
        return [frame.time for frame in decoded]


@pytest.fixture
def unusual(tmp_path):
    """Films as people have them; the first is what the others are made of."""
    folder = tmp_path / 'original'
    plain = encode(folder / 'plain.mp4')
    copied = f'-i {plain}'
    encode(folder / 'cut.mp4', before=f'-ss 0.7 {copied}', codec='copy')
    encode(folder / 'turned.mp4', before=f'-display_rotation 90 {copied}', codec='copy')
    encode(folder / 'mirrored.mp4', before=f'-display_hflip {copied}', codec='copy')
    encode(folder / 'odd.mkv', size='65x47', codec='libx264 -pix_fmt yuv444p')
    encode(folder / 'deep.mkv', codec='libx264 -pix_fmt yuv420p10le')
    encode(folder / 'full.avi', codec='mjpeg -pix_fmt yuvj420p')
    encode(folder / 'b.avi', codec='mpeg4 -bf 2 -q:v 2')
    encode(folder / 'stream.ts', codec='mpeg2video -bf 2 -g 12 -q:v 2')
    encode(folder / 'web.webm', codec='libvpx-vp9')
    encode(folder / 'picture.gif', codec='gif')
    uneven = "-vf select='lt(n\\,9)+not(mod(n\\,3))' -fps_mode vfr"
    encode(folder / 'uneven.mp4', uneven)
    encode(folder / 'cover.png', '-frames:v 1', codec='png')
    parts = (
        f'-i {folder}/cover.png {copied} -map 0 -map 1 -disposition:v:0 attached_pic'
    )
    encode(folder / 'thumbnail.mp4', before=parts, codec='copy')
    return folder, tmp_path / 'prepared'


def test_every_frame_of_unusual_files_is_kept(unusual, run):
    source, target = unusual
    done = run(TOOL, source, target, '--psnr', '--crf', 12)
    assert done.returncode == 0, done.stdout
    assert '13 videos' in done.stdout
    for path in source.glob('*.*'):
        if path.suffix == '.png':
            continue
        old, new = frames(path), frames(target / f'{path.stem}.mp4')
        assert len(old) == len(new) > 10, path.name
        height, width = old[0].shape[:2]
        assert new[0].shape[:2] == (height // 2 * 2, width // 2 * 2), path.name
        for a, b in zip(old, new, strict=True):
            difference = a[: len(b), : b.shape[1]].astype(int) - b
            assert np.abs(difference).mean() < 16, path.name
    before, after = times(source / 'uneven.mp4'), times(target / 'uneven.mp4')
    assert np.allclose(np.array(before) - before[0], after, atol=1e-3)


def test_frames_of_different_sizes_become_one(tmp_path, run):
    folder = tmp_path / 'original'
    parts = [encode(folder / f'{n}.ts', size=size) for n, size in enumerate(SIZES)]
    (folder / 'both.ts').write_bytes(b''.join(part.read_bytes() for part in parts))
    run(TOOL, folder, tmp_path / 'prepared')
    assert len(frames(folder / 'both.ts')) == len(
        frames(tmp_path / 'prepared/both.mp4')
    )


SIZES = ('64x48', '96x64')


def test_a_disk_that_is_full_breaks_no_video(folders, tiny_disk, run):
    source, _ = folders
    noise = np.random.default_rng(0).integers(0, 256, (60, 256, 256, 3), np.uint8)
    writer = cv2.VideoWriter(
        str(source / 'noise.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 25, (256, 256)
    )
    for frame in noise:
        writer.write(frame)
    writer.release()
    done = run(TOOL, source, tiny_disk / 'out')
    assert done.returncode == 1
    assert re.match(r'error: .*No space left on device.*\w+\.mp4', done.stderr)
    assert not [name for name in files(tiny_disk / 'out') if 'part' in name]


def test_a_decoder_that_crashes_costs_one_video(folders, run, monkeypatch):
    source, target = folders
    whole = WholeVideo.__iter__

    def crash(video):
        if video.name.endswith('tall.avi'):
            faulthandler.disable()
            os.kill(os.getpid(), signal.SIGSEGV)
        yield from whole(video)

    monkeypatch.setattr(WholeVideo, '__iter__', crash)
    done = run(TOOL, source, target, '--workers', 2)
    assert done.returncode == 1
    assert f'broken: {source}/tall.avi ended its process (SIGSEGV)' in done.stdout
    assert files(target) == ['prepared.json', 'small.mp4', 'wide/a b.mp4']
