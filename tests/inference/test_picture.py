"""Pictures of predictions."""

import matplotlib as mpl
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mmxclip.inference.inputs import frames_of as frames_of_inputs
from mmxclip.inference.picture import draw_prediction
from mmxclip.inference.picture_hook import PictureHook

RED, BLUE = [250, 10, 10], [10, 10, 250]
FIRST, OTHERS, TEXT = [0xD1, 0x49, 0x5B], [0x9A, 0xA5, 0xB1], [0x1F, 0x29, 0x33]


def frames_of(*colours):
    return np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


def near(picture, colour, distance=20):
    return np.abs(picture.astype(int) - colour).max(axis=-1) < distance


def columns_with(picture, colour):
    return np.flatnonzero(near(picture, colour).any(axis=0))


def rows_with(picture, colour):
    return np.flatnonzero(near(picture, colour).any(axis=1))


def bars(picture, colour):
    """Rows of filled bars, those of a bar in a list."""
    # The edges of grey text look like grey bars, so count what is filled.
    rows = np.flatnonzero(near(picture, colour, 5).sum(axis=1) > 40)
    return np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)


def test_frames_stand_in_order():
    picture = draw_prediction(frames_of(RED, BLUE), {'a': 0.9, 'b': 0.1})
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert columns_with(picture, RED).max() < columns_with(picture, BLUE).min()


def test_the_ninth_frame_stands_below_the_first():
    picture = draw_prediction(frames_of(BLUE, *[RED] * 7, BLUE), {'a': 1.0})
    columns = columns_with(picture, BLUE)
    assert columns.max() < columns_with(picture, RED).min()
    rows = rows_with(picture, BLUE)
    assert np.ptp(rows) > 1.9 * np.ptp(rows_with(picture, RED))


def test_the_best_ten_stand_in_order_best_first():
    scores = {f'class {i}': 0.2 + 0.05 * i for i in range(12)}
    picture = draw_prediction(frames_of(RED), scores)
    (best,) = bars(picture, FIRST)
    others = bars(picture, OTHERS)
    assert len(others) == 9
    assert best.max() < others[0].min()
    lengths = [near(picture[rows[0]], OTHERS, 5).sum() for rows in others]
    assert lengths == sorted(lengths, reverse=True)


def test_the_title_stands_above_the_frames():
    for title, written in (('clip.mp4: archery', True), ('', False)):
        picture = draw_prediction(frames_of(RED), {'a': 1.0}, title)
        above = picture[: rows_with(picture, RED).min()]
        assert near(above, TEXT).any() == written


def test_long_names_are_cut_at_their_end():
    def draw(name):
        return draw_prediction(frames_of(RED), {name: 0.5})

    name = 'x' * 44
    assert not np.array_equal(draw(f'{name}a{name}'), draw(f'{name}b{name}'))
    assert np.array_equal(draw(f'{name}{name}a'), draw(f'{name}{name}b'))


def test_bars_are_as_long_as_the_scores():
    picture = draw_prediction(frames_of(BLUE), {'worse': 0.25, 'best': 0.75})
    best = np.ptp(columns_with(picture, FIRST))
    worse = near(picture, OTHERS, 5).sum(axis=1).max()
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


def test_frames_of_either_layout_of_inputs():
    frames = torch.randint(0, 256, (4, 6, 8, 3), dtype=torch.uint8)  # (T, H, W, 3)
    views = torch.stack([frames.permute(3, 0, 1, 2)] * 2)  # (2, 3, T, H, W)
    for inputs in (views, frames.permute(0, 3, 1, 2)):
        assert (frames_of_inputs(inputs) == frames.numpy()).all()


def test_other_inputs_than_frames_are_refused():
    with pytest.raises(ValueError, match=r'RGB.*\(1, 2, 8, 32, 32\)'):
        frames_of_inputs(torch.zeros(1, 2, 8, 32, 32))


def test_without_a_screen_no_window_is_waited_for(monkeypatch, capsys):
    """It says so instead."""
    monkeypatch.setattr(mpl, 'get_backend', lambda: 'agg')
    MMLogger.get_instance('screen', logger_name='mmengine')
    hook = PictureHook(show=True)
    hook.before_test(None)
    assert not hook.show
    assert '--show-dir' in ''.join(capsys.readouterr())


@pytest.mark.slow
@pytest.mark.parametrize(
    'label', [torch.tensor([7]), torch.tensor([0.0, 1, 1, 0, 0]), None]
)
def test_any_label_may_stand_beside_a_picture(tiny_model, tmp_path, label):
    runner = Runner(
        MODELS.build(tiny_model),
        str(tmp_path),
        default_scope='mmaction',
        experiment_name=tmp_path.name,
    )
    sample = ActionDataSample(metainfo=dict(filename='a.mp4'))
    sample.set_pred_score(torch.tensor([0.1, 0.6, 0.1, 0.1, 0.1]))
    if label is not None:
        sample.set_gt_label(label)
    views = torch.zeros(2, 3, 4, 32, 32, dtype=torch.uint8)
    hook = PictureHook(str(tmp_path / 'out'), interval=2)
    hook.after_test_iter(runner, 0, dict(inputs=[views] * 3), [sample] * 3)
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['00000_a.png', '00002_a.png']
