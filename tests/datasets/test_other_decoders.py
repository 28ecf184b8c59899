import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest
from mmengine.dataset import Compose

import mmxclip  # noqa: F401 (registers)
from mmxclip.datasets import VideoError
from mmxclip.datasets.readers import DecordReader, TorchCodecReader

OTHERS = {'SafeDecordInit': DecordReader, 'SafeTorchCodecInit': TorchCodecReader}


@pytest.fixture(params=OTHERS)
def engine(request):
    try:
        OTHERS[request.param](b'', 'nothing')
    except ImportError as error:
        pytest.skip(str(error))
    except VideoError:
        pass  # installed: it has looked at the file
    return request.param


def read(kind, path, num_frames=8, test_mode=True, **kwargs):
    steps = Compose(
        [
            dict(type=kind),
            dict(
                type='SegmentSampleFrames',
                num_frames=num_frames,
                test_mode=test_mode,
                **kwargs,
            ),
            dict(type='VideoDecode'),
        ]
    )
    return steps(dict(filename=str(path), start_index=0, modality='RGB'))


def assert_same_frames(engine, path, **kwargs):
    np.random.seed(0)
    expected = read('VideoInit', path, **kwargs)
    np.random.seed(0)
    results = read(engine, path, **kwargs)
    assert results['total_frames'] == expected['total_frames']
    assert results['avg_fps'] == pytest.approx(expected['avg_fps'], rel=0.01)
    assert results['img_shape'] == expected['img_shape']
    for ours, theirs in zip(results['imgs'], expected['imgs'], strict=True):
        # Each brings its own version of FFmpeg, and rounds colours in its own way.
        gap = np.abs(ours.astype(int) - theirs)
        assert gap.mean() < 1
        assert np.quantile(gap, 0.999) <= 6


@pytest.mark.slow
def test_same_frames_as_by_default(engine, shared):
    # Decoders disagree on where the .mov starts: it has an edit list.
    files = sorted((shared / 'videos/single').glob('*.[ma][pv][4i]'))
    assert len(files) == 9
    for file in files:
        assert_same_frames(engine, file, num_views=2)


def test_same_random_frames_as_by_default(engine, shared):
    for file in sorted((shared / 'videos/skateboard_ollie').glob('*.mp4'))[:3]:
        assert_same_frames(engine, file, num_views=2, test_mode=False)


def test_short_video_repeats_frames(engine, make_video):
    assert_same_frames(engine, make_video(num_frames=3))


@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_turned_videos_stand_upright(engine, shared, tmp_path, degrees):
    source, path = shared / 'videos/single/tai_chi.mp4', tmp_path / 'turned.mp4'
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    turn = ['-display_rotation', str(degrees), '-i', source, '-t', '1', '-c', 'copy']
    subprocess.run([ffmpeg, '-loglevel', 'error', *turn, path], check=True)
    assert_same_frames(engine, path)


@pytest.mark.parametrize('num_frames', [4, 20])
def test_every_frame_is_its_own(engine, make_video, num_frames):
    results = read(engine, make_video(num_frames=20), num_frames=num_frames)
    levels = [round(frame.mean() / 10) for frame in results['imgs']]
    assert levels == results['frame_inds'].tolist()


@pytest.mark.parametrize('kind', ['noise', 'cut', 'empty'])
def test_bad_videos_are_errors_that_name_them(engine, bad_videos, kind):
    with pytest.raises(VideoError, match=str(bad_videos[kind])):
        read(engine, bad_videos[kind], num_frames=4)


def test_missing_video_is_an_error(engine, tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read(engine, tmp_path / 'gone.mp4')


@pytest.mark.parametrize(
    ('kind', 'module'),
    [('SafeDecordInit', 'decord'), ('SafeTorchCodecInit', 'torchcodec')],
)
def test_missing_engine_says_what_to_install(monkeypatch, make_video, kind, module):
    for name in (module, f'{module}.decoders'):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f'pip install {module}'):
        read(kind, make_video())
