"""The default reading steps give the frames of sequential decoding, or an error."""

import io
import shutil
import time

import av
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from numbered_videos import ALL, NUM_FRAMES, NumberedVideos, ffmpeg, number_of

from mmxclip.datasets import VideoError, VideoReader


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    """The videos by their names."""
    return NumberedVideos(tmp_path_factory.mktemp('videos'))


def decode_all(path):
    """What PyAV gives of the best stream from the start to the first error."""
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.best('video')
        stream.codec_context.thread_count = 1
        try:
            for frame in container.decode(stream):
                picture = frame.to_ndarray(format='rgb24')
                frames.append(np.rot90(picture, round(frame.rotation / 90)))
        except av.FFmpegError:
            pass
    return frames


def read(path, root, part='val', num_views=1, **kwargs):
    """The frames that the recipe's pipeline reads, with their numbers."""
    steps = Config.fromfile(root / 'configs/_base_/pipelines/u8-res224.py')
    steps = [dict(step) for step in steps[f'{part}_pipeline'][:3]]
    steps[0].update(kwargs)
    steps[1].update(num_views=num_views)
    return Compose(steps)(dict(filename=str(path), start_index=0, modality='RGB'))


@pytest.mark.parametrize('name', ALL)
def test_frames_are_those_of_sequential_decoding(name, videos, root):
    expected = decode_all(videos[name])
    assert len(expected) >= 10
    for num_views in (1, 4):
        results = read(videos[name], root, num_views=num_views)
        assert results['total_frames'] == len(expected)
        for i, frame in zip(results['frame_inds'], results['imgs'], strict=True):
            assert np.array_equal(frame, expected[i]), f'frame {i}'


@pytest.mark.parametrize('name', ALL)
def test_any_order_and_neighbours(name, videos):
    """Behind, before and beside what was read last, alone and by another thread."""
    expected = decode_all(videos[name])
    last = len(expected) - 1
    for num_threads in (1, 2):
        with VideoReader(videos[name], num_threads=num_threads) as video:
            for numbers in ([last], range(10), [9, 10], [last - 1, 3, 0], range(8, 14)):
                for i, frame in zip(numbers, video.get_batch(numbers), strict=True):
                    assert np.array_equal(frame, expected[i]), f'frame {i}'


@pytest.mark.parametrize('name', ['h264.mp4', 'cut_hevc.mp4', 'xvid.avi', 'mpeg2.ts'])
def test_numbers_are_those_in_the_picture(name, videos):
    with VideoReader(videos[name]) as video:
        numbers = [number_of(frame) for frame in video.get_batch(range(len(video)))]
    assert numbers == list(range(NUM_FRAMES - len(numbers), NUM_FRAMES))


TURN, MIRROR, TOPPLE = '-display_rotation', '-display_hflip', '-display_vflip'


@pytest.mark.parametrize(
    'matrix',
    [
        [TURN, 90],
        [TURN, 180],
        [TURN, 270],
        [MIRROR],
        [TOPPLE],
        [TURN, 90, MIRROR],
        [TURN, 90, TOPPLE],
    ],
)
def test_pictures_stand_as_ffmpeg_shows_them(matrix, videos, tmp_path):
    path = tmp_path / 'stands.mp4'
    ffmpeg([*matrix, '-i', videos['h264.mp4'], '-c', 'copy', path])
    with VideoReader(path) as video:
        (frame,) = video.get_batch([0])
    pixels = ffmpeg(
        ['-i', path, '-frames:v', 1, *['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']]
    )
    shown = np.frombuffer(pixels, np.uint8).reshape(frame.shape)
    assert np.abs(frame.astype(int) - shown).mean() < 2  # colours are halved otherwise


@pytest.mark.parametrize('name', ['cut.mp4', 'xvid.avi', 'half.ts', 'turned.mp4'])
def test_twelve_views_are_those_of_sequential_decoding(name, videos, root):
    cfg = Config.fromfile(root / 'configs/_base_/pipelines/u8-res224.py')
    results = read(videos[name], root, 'test', num_views=4)
    expected = decode_all(videos[name])
    given = dict(filename=str(videos[name]), start_index=0, modality='RGB', label=0)
    ours = Compose(cfg.test_pipeline)(dict(given))['inputs']
    given |= {key: results[key] for key in ('num_clips', 'clip_len')}
    given['imgs'] = [expected[i].copy() for i in results['frame_inds']]
    given['img_shape'] = expected[0].shape[:2]
    assert ours.shape == (12, 3, 8, 224, 224)
    assert ours.equal(Compose(cfg.test_pipeline[3:])(given)['inputs'])


@pytest.mark.parametrize(
    ('name', 'declared'),
    [
        ('half.avi', 60),
        ('half.mp4', 60),
        ('half.mkv', 60),
        ('most.mkv', 60),
        ('no_key.mp4', 44),
    ],
)
def test_what_is_missing_is_told_once_with_both_numbers(
    name, declared, videos, tmp_path, logged
):
    path = shutil.copy(videos[name], tmp_path)
    count = len(decode_all(path))
    assert count < declared
    for _ in range(2):
        opened = Compose([dict(type='VideoInit')])(dict(filename=str(path)))
        assert opened['total_frames'] == count
    assert logged.text.count(f'{path} is damaged') == 1
    assert f'{count} of {declared}' in logged.text


@pytest.mark.parametrize('name', ALL)
def test_nothing_is_said_to_miss_where_nothing_does(name, videos, root, logged):
    read(videos[name], root)
    cut = name.startswith(('half', 'most', 'end', 'no_key', 'cut_no_edits'))
    assert cut or not logged.text


def test_a_file_object_is_read_where_it_lies(videos, root, tmp_path):
    expected = decode_all(videos['cut.mp4'])
    data = videos['cut.mp4'].read_bytes()
    with VideoReader(io.BytesIO(data), name='remote.mp4') as video:
        (frame,) = video.get_batch([20])
    assert np.array_equal(frame, expected[20])
    broken = io.BytesIO(data[:100])
    with pytest.raises(VideoError, match=r'remote\.mp4'):
        VideoReader(broken, name='remote.mp4')
    assert broken.closed


@pytest.mark.parametrize('name', ['a:b.mp4', 'concat:x|y.mp4', '100%d.mp4', 'é .mp4'])
def test_names_mean_nothing_to_ffmpeg(name, videos, tmp_path):
    path = shutil.copy(videos['h264.mp4'], tmp_path / name)
    with VideoReader(path) as video:
        assert len(video) == NUM_FRAMES


def test_other_numbers_are_no_frames(videos):
    with VideoReader(videos['h264.mp4']) as video:
        for number in (-1, NUM_FRAMES):
            with pytest.raises(IndexError, match=rf'{number} of {NUM_FRAMES}'):
                video.get_batch([3, number])


def test_damage_that_the_index_does_not_show_is_an_error(shared, bad_videos):
    """Half of its packets are zeros: the first frames are right, later ones none."""
    expected = decode_all(shared / 'videos/single/tai_chi.mp4')
    with VideoReader(bad_videos['cut']) as video:
        with pytest.raises(VideoError, match=r'cut\.mp4: frame 290 of 300'):
            video.get_batch([290])
        assert np.array_equal(video.get_batch([20])[0], expected[20])


def test_damaged_and_hostile_files_are_right_or_refused(shared):
    for path in sorted((shared / 'faults/videos').iterdir()):
        start = time.perf_counter()
        try:
            expected = decode_all(path)
        except (av.FFmpegError, AttributeError, UnicodeDecodeError):
            expected = []
        if expected:
            with VideoReader(path) as video:
                frames = video.get_batch(range(len(video)))
            for ours, theirs in zip(frames, expected, strict=True):
                assert np.array_equal(ours, theirs), path
        else:
            with pytest.raises(VideoError, match=str(path)):
                VideoReader(path)
        assert time.perf_counter() - start < 10  # those that asked the network took 20


@pytest.mark.parametrize('name', ['list.m3u8', 'list.txt', 'clip.mp4'])
def test_lists_of_other_files_are_not_followed(name, videos, tmp_path):
    shutil.copy(videos['h264.ts'], tmp_path / 'secret.ts')
    kinds = [
        '#EXTM3U\n#EXTINF:9,\nsecret.ts\n#EXT-X-ENDLIST\n',
        "ffconcat version 1.0\nfile 'secret.ts'\n",
        'v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n',
    ]
    for kind in kinds:
        (tmp_path / name).write_text(kind)
        with pytest.raises(VideoError, match=name):
            VideoReader(tmp_path / name)


def test_sound_with_a_cover_has_no_video_stream(videos, tmp_path):
    path = tmp_path / 'song.mp3'
    picture = videos['thumbnail.jpg']
    arguments = ['-f', 'lavfi', '-i', 'sine=duration=1', '-i', picture, '-map', 0]
    arguments += ['-map', 1, '-c:v', 'copy', '-disposition:v', 'attached_pic', path]
    ffmpeg(arguments)
    with pytest.raises(VideoError, match=r'song\.mp3'):
        VideoReader(path)


def test_what_is_no_file_is_said_as_elsewhere(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        VideoReader(tmp_path / 'gone.mp4')
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        VideoReader(tmp_path)
