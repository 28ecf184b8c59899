"""Pictures of predictions."""

import numpy as np
import pytest

from mmxclip.apis import draw_prediction

RED, BLUE = [250, 10, 10], [10, 10, 250]


def frames_of(*colours):
    return np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


def columns_with(picture, colour):
    near = np.abs(picture.astype(int) - colour).max(axis=-1) < 20
    return np.flatnonzero(near.any(axis=0))


def test_frames_stand_in_order():
    picture = draw_prediction(frames_of(RED, BLUE), {'a': 0.9, 'b': 0.1})
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert columns_with(picture, RED).max() < columns_with(picture, BLUE).min()


def test_bars_are_as_long_as_the_scores():
    picture = draw_prediction(frames_of(BLUE), {'worse': 0.25, 'best': 0.75})
    best = np.ptp(columns_with(picture, [0xD1, 0x49, 0x5B]))
    # The edges of grey text look like grey bars, so count what is filled.
    grey = np.abs(picture.astype(int) - [0x9A, 0xA5, 0xB1]).max(axis=-1) < 5
    worse = grey.sum(axis=1).max()
    assert best / worse == pytest.approx(3, rel=0.05)


def test_long_videos_many_classes_and_odd_names_fit():
    scores = {
        f'class {i} with $a_dollar and {"a long name " * 9}': 0.02 for i in range(50)
    }
    picture = draw_prediction(frames_of(*[RED] * 32), scores, 'a $_b.mp4: …')
    assert picture.shape[0] < 1.5 * picture.shape[1]
    assert (picture[:, -3:] == 255).all(), 'nothing runs over the edge'


@pytest.mark.parametrize(('frames', 'scores'), [(0, {'a': 1.0}), (2, {})])
def test_nothing_to_draw_is_an_error(frames, scores):
    with pytest.raises(ValueError, match='needs frames and scores'):
        draw_prediction(np.zeros((frames, 8, 8, 3), np.uint8), scores)
