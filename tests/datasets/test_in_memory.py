"""Videos that are decoded once and kept."""

import numpy as np
import pytest
from mmengine.dataset import Compose

from mmxclip.datasets import VideoError


def read(path, kind='InMemoryVideoInit', test_mode=True):
    steps = Compose(
        [
            dict(type=kind),
            dict(
                type='SegmentSampleFrames',
                num_frames=4,
                num_views=2,
                test_mode=test_mode,
            ),
            dict(type='VideoDecode'),
        ]
    )
    return steps(dict(filename=str(path), start_index=0, modality='RGB'))


@pytest.mark.parametrize('test_mode', [True, False])
def test_same_frames_as_from_the_file(make_video, test_mode):
    path = make_video(num_frames=16)
    for seed in range(3):  # the first reads the file
        np.random.seed(seed)
        expected = read(path, 'VideoInit', test_mode)
        np.random.seed(seed)
        results = read(path, test_mode=test_mode)
        assert results['total_frames'] == 16
        assert results['undecodable'] is False
        np.testing.assert_array_equal(results['imgs'], expected['imgs'])


def test_the_file_is_read_once(make_video):
    path = make_video()
    before = read(path)['imgs']
    path.unlink()
    np.testing.assert_array_equal(read(path)['imgs'], before)


def test_augmentation_does_not_change_what_is_kept(make_video):
    path = make_video(num_frames=3)
    frames = read(path)['imgs']
    before = np.array(frames)
    for frame in frames:
        frame[:] = 255  # as Flip does, which writes into frames
    np.testing.assert_array_equal(read(path)['imgs'], before)


def test_samples_by_time_are_the_same_from_memory(make_video):
    """Two frames at 5 a second span 10 frames of 25 a second."""
    steps = Compose(
        [
            dict(type='InMemoryVideoInit'),
            dict(type='SampleFrames', clip_len=2, target_fps=5, test_mode=True),
        ]
    )
    first, again = (
        steps(dict(filename=str(path), start_index=0))['frame_inds']
        for path in [make_video()] * 2
    )
    assert first[1] - first[0] == 9
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize('kind', ['noise', 'cut', 'empty'])
def test_bad_and_missing_videos_are_errors_each_time(kind, bad_videos, tmp_path):
    for _ in range(2):
        with pytest.raises(VideoError, match=str(bad_videos[kind])):
            read(bad_videos[kind])
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read(tmp_path / 'gone.mp4')
