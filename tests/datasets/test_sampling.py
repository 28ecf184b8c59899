import json

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

import mmxclip  # noqa: F401 (registers)


def sample(total_frames, start_index=0, **kwargs):
    transform = TRANSFORMS.build(dict(type='SegmentSampleFrames', **kwargs))
    return transform(dict(total_frames=total_frames, start_index=start_index))


@pytest.mark.parity
def test_indices_equal_the_reference(shared):
    for case in json.loads((shared / 'golden/frame_indices.json').read_text()):
        shape = dict(num_frames=case['num_frames'], total_frames=case['total_frames'])
        assert sample(**shape, test_mode=True)['frame_inds'].tolist() == case['test']
        np.random.seed(1234)
        assert sample(**shape)['frame_inds'].tolist() == case['train_seed1234']
        np.random.seed(1234)
        drawn = sample(**shape, num_views=4)['frame_inds'].tolist()
        assert drawn == case['four_views_seed1234']


def test_views_of_a_test_share_each_segment_evenly():
    results = sample(96, num_frames=4, num_views=3, test_mode=True)
    assert results['frame_inds'].reshape(3, 4).tolist() == [
        [4, 28, 52, 76],
        [12, 36, 60, 84],
        [20, 44, 68, 92],
    ]
    assert (results['clip_len'], results['num_clips']) == (4, 3)


def test_frame_numbers_that_start_at_one():
    results = sample(8, start_index=1, num_frames=8, test_mode=True)
    assert results['frame_inds'].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize('total_frames', [1, 2, 7, 8, 9, 300])
@pytest.mark.parametrize('test_mode', [True, False])
def test_indices_stay_inside_and_in_order(total_frames, test_mode):
    results = sample(total_frames, num_frames=8, num_views=3, test_mode=test_mode)
    indices = results['frame_inds'].reshape(3, 8)
    assert indices.min() >= 0
    assert indices.max() < total_frames
    # Of a very short video the reference repeats the first frame at the end.
    if test_mode or total_frames >= 8:
        assert (np.diff(indices, axis=1) >= 0).all()


@pytest.mark.parametrize('name', ['num_frames', 'num_views'])
def test_what_is_no_count_is_refused(name):
    for value in (0, 4.0, True):
        message = f'{name} must be an integer from 1, got {value}'
        with pytest.raises(ValueError, match=message):
            sample(8, **{'num_frames': 4, name: value})


def test_video_without_frames_is_refused():
    with pytest.raises(ValueError, match='has no frames'):
        sample(0, num_frames=4)
