"""A film's frames are those of sequential decoding, each with its time."""

import io

import numpy as np
import pytest
from numbered_videos import ALL, NumberedVideos
from test_video_reader import decode_all

from mmxclip.datasets import Film, VideoError, upright


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    return NumberedVideos(tmp_path_factory.mktemp('films'))


def read(film, start=0.0):
    frames = [(time, upright(picture)) for time, picture in film.frames(start)]
    return [time for time, _ in frames], [frame for _, frame in frames]


@pytest.mark.slow
@pytest.mark.parametrize('name', ALL)
def test_frames_are_those_of_sequential_decoding_from_any_time_on(name, videos):
    expected = decode_all(videos[name])
    with Film(videos[name]) as film:
        times, frames = read(film)
        assert len(frames) == len(expected)
        assert all(map(np.array_equal, frames, expected))
        assert times[0] == 0
        assert times == sorted(times)
        for start in (times[len(times) // 2], times[-1] - 0.1, 0):
            later, rest = read(film, start)
            assert later == [time for time in times if time >= start]
            assert all(map(np.array_equal, rest, expected[-len(rest) :]))
        assert film.duration == pytest.approx(times[-1] + 1 / 25, abs=3) or (
            name.startswith(('half', 'raw', 'long_sound', 'pipe', 'end'))
            or not film.duration
        )


def test_times_are_those_of_the_packets(videos):
    with Film(videos['vfr.mp4']) as film:
        times, _ = read(film)
    steps = np.diff(times)
    assert steps.min() == pytest.approx(0.04)
    assert steps.max() == pytest.approx(0.28)


def test_a_damaged_film_ends_with_a_word(videos, tmp_path):
    with Film(io.BytesIO(videos['half.mp4'].read_bytes()), name='half') as film:
        assert film.shortfall is None
        read(film)
        assert 'half is damaged' in film.shortfall
    with Film(videos['h264.mp4']) as film:
        read(film, 1.0)
        assert film.shortfall is None


def test_a_file_without_frames_is_an_error(tmp_path):
    path = tmp_path / 'noise.mp4'
    path.write_bytes(b'no video')
    with pytest.raises(VideoError, match=r'noise\.mp4'):
        Film(path)
