"""tools/data/check_dataset.py opens every video, whatever its decoder does."""

import re
import shutil
import subprocess
import sys
import tarfile

import imageio_ffmpeg
import pytest

from mmxclip.datasets import VideoReader


def _list(data, lines):
    with (data / 'lists/train.txt').open('a') as file:
        file.write(lines)


@pytest.mark.parametrize('decoder', ['SafeTorchCodecInit', 'VideoInit'])
def test_a_decoder_that_does_not_work_condemns_no_video(
    data, run, monkeypatch, decoder
):
    monkeypatch.setitem(sys.modules, 'torchcodec', None)
    monkeypatch.setattr(VideoReader, '__len__', lambda reader: reader.no_such_method())
    config = (data / 'config.py').read_text()
    (data / 'config.py').write_text(config.replace('VideoInit', decoder))
    done = run('check_dataset.py', data / 'config.py', '--workers', 1, '--fix')
    assert re.match(f'error: .*{decoder}.*(needs TorchC|no_such_method)', done.stderr)
    assert not list(data.glob('lists/*cleaned*'))


def test_a_list_is_not_emptied_where_no_video_is_found(data, run):
    (data / 'videos').rename(data / 'clips')
    done = run('check_dataset.py', data / 'config.py', '--workers', 1, '--fix')
    assert not list(data.glob('lists/*cleaned*'))
    assert 'no video would be left; correct first' in done.stdout


@pytest.mark.slow
def test_videos_in_an_archive_are_checked_like_others(data, run):
    with tarfile.open(data / 'videos.tar', 'w') as tar:
        tar.add(data / 'videos', arcname='.', filter=_all_but_yoga)
    shutil.rmtree(data / 'videos')
    config = (data / 'config.py').read_text()
    (data / 'config.py').write_text(config.replace("'videos'", "'videos.tar'"))
    done = run('check_dataset.py', data / 'config.py', '--workers', 2)
    assert '1 errors in 2 lists' in done.stdout
    assert 'missing\n      sport/yoga.mp4 0' in done.stdout


def _all_but_yoga(member):
    return None if 'yoga' in member.name else member


@pytest.mark.slow
def test_what_is_there_and_cannot_be_read_is_not_called_missing(data, run):
    (data / 'videos/sport/folder.mp4').mkdir()
    _list(data, 'sport/folder.mp4 0\n')
    done = run('check_dataset.py', data / 'config.py', '--workers', 1)
    assert '1 videos: cannot be read' in done.stdout


def test_videos_are_not_opened_unless_asked(data, run):
    _list(data, 'sport/gone.mp4 0\n')
    done = run('check_dataset.py', data / 'config.py', '--no-decode')
    assert done.returncode == 0


@pytest.fixture
def ffmpeg(data):
    """Run FFmpeg, which writes into the videos."""

    def run(command, name):
        program = imageio_ffmpeg.get_ffmpeg_exe()
        path = data / 'videos/sport' / name
        subprocess.run(
            [program, '-v', 'error', *map(str, command), str(path)], check=True
        )
        _list(data, f'sport/{name} 0\n')
        return path

    return run


def _use(data, opener):
    config = (data / 'config.py').read_text()
    (data / 'config.py').write_text(config.replace('VideoInit', opener))


@pytest.mark.slow
def test_videos_that_are_cut_off_are_listed_with_both_numbers(data, run, ffmpeg):
    path = ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=d=4', *FAST_START], 'cut.mp4')
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = run('check_dataset.py', data / 'config.py', '--fix')
    assert done.returncode == 0, done.stdout
    assert re.search(
        r'note: 1 videos: cut off\n +sport/cut.mp4 0 \(\d+ of 100 ', done.stdout
    )
    assert not (data / 'lists/train.cleaned.txt').exists()


FAST_START = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', '+faststart']


HANG = """
import time
from mmxclip.datasets import SafeDecordInit
transform = SafeDecordInit.transform

def hang(opener, results):
    if 'hang' in results['filename']:
        time.sleep(1000)
    return transform(opener, results)

SafeDecordInit.transform = hang
"""


def check_apart(root, *args, before=''):
    """Run the tool in a new process: decord does not bear that it was used in this."""
    tool = root / 'tools/data/check_dataset.py'
    code = f'{before}\nimport runpy\nrunpy.run_path({str(tool)!r}, run_name="__main__")'
    command = [sys.executable, '-c', code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_decoder_that_crashes_or_hangs_costs_one_video(root, data, shared):
    whole = (shared / 'videos/single/apply_eye_makeup.avi').read_bytes()
    (data / 'videos/sport/crash.avi').write_bytes(whole[:14728])
    shutil.copy(data / 'videos/sport/yoga.mp4', data / 'videos/sport/hang.mp4')
    _list(data, 'sport/crash.avi 0\nsport/hang.mp4 0\n')
    _use(data, 'SafeDecordInit')
    args = ['--workers', 2, '--time-limit', 8]
    done = check_apart(root, data / 'config.py', *args, before=HANG)
    assert 'error: 2 videos: the decoder crashed or hung' in done.stdout, done
    assert re.search(r'sport/crash.avi 0 .*SIG', done.stdout)
    assert re.search(r'sport/hang.mp4 0 .*8 s', done.stdout)
    # All are looked at; now and then decord gives a wrong frame of one of the others.
    assert re.search(r'train\.txt .*\n  4 videos', done.stdout)
    assert re.search(r'val\.txt .*\n  2 videos', done.stdout)
    assert done.returncode == 1


@pytest.mark.slow
def test_a_decoder_that_gives_other_frames_is_found(root, data, run, ffmpeg):
    source = ['-i', data / 'videos/sport/yoga.mp4', '-frames:v', 120]
    ffmpeg(
        [*source, *['-c:v', 'mpeg4', '-bf', '2', '-q:v', '3', '-vtag', 'xvid']], 'b.avi'
    )
    ffmpeg(['-ss', 1.3, '-i', data / 'videos/sport/yoga.mp4', '-c', 'copy'], 'cut.mp4')
    assert run('check_dataset.py', data / 'config.py').returncode == 0
    _use(data, 'SafeDecordInit')
    done = check_apart(root, data / 'config.py', '--time-limit', 20)
    assert re.search(r'other frames.*(\n {6}.*)*b\.avi', done.stdout)
    assert 'sport/cut.mp4' in done.stdout
