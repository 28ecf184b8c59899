"""Explanations: of models whose answer is known to rest on a known place."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import nn

from mmxclip.benchmarks.explanations import draw_clips, measure_truth
from mmxclip.datasets.shape_actions import ShapeAction, cover_clip, draw_clip
from mmxclip.inference import XCLIPInferencer, explain, write_explanation
from mmxclip.layers import SelfAttention
from mmxclip.models import encode_video

FRAME, ROW, COLUMN = 2, 1, 3  # of the square that decides


@MODELS.register_module()
class Brightness(nn.Module):
    """Tells two classes by how bright a place is; as a video model of anyone's."""

    def __init__(self, place: tuple | None = None, threshold: float = 0.0) -> None:
        super().__init__()
        self.place, self.threshold = place, threshold
        self.register_buffer('texts', torch.zeros(2, 16))

    def forward(self, x):
        if self.place is not None:
            frame, row, column = self.place
            rows, columns = (slice(8 * i, 8 * i + 8) for i in (row, column))
            x = x[:, :, frame : frame + 1, rows, columns]
        bright = x.amax(dim=1).mean(dim=(1, 2, 3))
        lit, dark = self.texts
        return lit + dark + (bright - self.threshold).unsqueeze(1) * (lit - dark)


@pytest.fixture
def bright(tiny_model, config_file):
    """A recognizer with such a backbone."""

    def make(**settings) -> XCLIPInferencer:
        model = dict(tiny_model, backbone=dict(type='Brightness', **settings))
        del model['neck']
        model['cls_head'] = dict(
            model['cls_head'], prompt=None, classes=['lit', 'dark']
        )
        config = Config.fromfile(config_file)
        config.model = model
        config.test_pipeline[1:4] = []
        config.test_dataloader.dataset.pipeline = [
            dict(type='VideoInit'),
            dict(type='SegmentSampleFrames', num_frames=4, test_mode=True),
            dict(type='VideoDecode'),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs'),
        ]
        torch.manual_seed(0)
        with pytest.warns(UserWarning, match='not loaded'):
            made = XCLIPInferencer(config, device='cpu', input_format='array')
        with torch.no_grad():
            texts = made.model.cls_head.text_features()[0]
            made.model.backbone.texts.copy_(nn.functional.normalize(texts))
        return made

    return make


def lit_clip() -> np.ndarray:
    """Dark, but for the square that decides and another one."""
    frames = np.zeros((4, 32, 32, 3), np.uint8)
    frames[FRAME, 8 * ROW : 8 * ROW + 8, 8 * COLUMN : 8 * COLUMN + 8] = 255
    frames[0, :8, :8] = 255
    return frames


def test_the_map_names_the_place_that_decides_and_no_other(bright):
    model = bright(place=(FRAME, ROW, COLUMN), threshold=0.5)
    found = explain(model, lit_clip(), patch=8, batch_size=5)
    assert found.labels[found.best] == 'lit'
    assert found.maps.shape == (2, 4, 4, 4)
    changed = np.argwhere(np.abs(found.maps[found.best]) > 1e-4)
    assert changed.tolist() == [[FRAME, ROW, COLUMN]]
    assert found.maps[0, FRAME, ROW, COLUMN] > 0 > found.maps[1, FRAME, ROW, COLUMN]
    assert not found.left_out  # a stranger's model
    assert np.flatnonzero(np.abs(found.contributions[0]) > 1e-4).tolist() == [FRAME]
    assert len(found.messages) == 0
    curves = found.deletion
    assert curves.hidden.tolist() == sorted(curves.hidden)
    assert curves.by_map[0] == pytest.approx(found.scores[0])
    assert (curves.by_map[1:] < 0.5).all()
    assert (curves.at_random[:, 1] > 0.5).any()
    assert len(np.unique(curves.at_random.argmin(axis=1))) > 1


def test_gradients_name_it_too(bright):
    model = bright(place=(FRAME, ROW, COLUMN), threshold=0.5)
    found = explain(model, lit_clip(), method='gradient', patch=8)
    assert found.maps.shape == (2, 4, 4, 4)
    changed = np.argwhere(np.abs(found.maps[found.best]) > 1e-4)
    assert changed.tolist() == [[FRAME, ROW, COLUMN]]
    # Where every square adds a little, both say how much.
    (_, frames, _), *_ = draw_clips(1)
    estimated, measured = (
        explain(bright(), frames, method=method, patch=8).maps
        for method in ('gradient', 'occlusion')
    )
    most = np.abs(measured).max()
    np.testing.assert_allclose(estimated, measured, atol=0.1 * most)


def test_squares_that_do_not_divide_a_frame_are_cut(bright):
    for method in ('occlusion', 'gradient'):
        found = explain(bright(), lit_clip(), method=method, patch=12)
        assert found.maps.shape == (2, 4, 3, 3)


def test_explanations_of_a_model_that_sees_the_shape_are_true(bright):
    """As tools/benchmark_explain.py judges trained ones."""
    truth = measure_truth(bright(threshold=-3.0), draw_clips(8))
    assert truth['on_shape'] == 1
    assert 0.05 < truth['chance'] < 0.5
    assert truth['by_map'] < truth['at_random']
    assert truth['p_value'] < 0.01


def test_explanations_of_a_model_that_looks_elsewhere_are_not(bright):
    truth = measure_truth(bright(place=(0, 0, 0)), draw_clips(8))
    assert truth['on_shape'] < 0.6


def test_a_shape_is_where_it_was_drawn():
    action = ShapeAction('triangle', 'white', 'moving left')
    frames = draw_clip(action, np.random.default_rng(3), num_frames=5, size=64)
    cover = cover_clip(action, np.random.default_rng(3), num_frames=5, size=64)
    light = frames.mean(axis=-1)
    for lit, inside in zip(light, cover == 1, strict=True):
        assert np.percentile(lit[~inside & (cover[0] == 0)], 95) < lit[inside].max()
        assert lit[inside].min() > lit[cover[0] == 0].mean()
    middles = [np.argwhere(one).mean(axis=0)[1] for one in cover]
    assert all(later < earlier for earlier, later in pairwise(middles))


def test_frames_are_left_out_as_if_there_were_none(inferencer, videos, tiny_model):
    """As by a model of one frame less, with the others' places in time."""
    found = explain(inferencer, videos[0], patch=16)
    assert found.left_out
    model, head = inferencer.model, inferencer.model.cls_head
    data = inferencer.collate_fn([inferencer.pipeline(videos[0])])
    views = model.data_preprocessor(data, False)['inputs'][0]
    clip = views[found.view][None, None]
    fewer = MODELS.build(dict(tiny_model, neck=dict(tiny_model['neck'], num_frames=3)))
    state = model.state_dict()
    for frame in range(4):
        kept = [i for i in range(4) if i != frame]
        position = model.neck.positional_embedding[:, kept]
        fewer.load_state_dict(state | {'neck.positional_embedding': position})
        with torch.no_grad():
            text = head.text_features()
            whole, without = (
                head.score(*encode_video(one, frames), text).softmax(1)[0].numpy()
                for one, frames in (
                    (model, clip),
                    (fewer.eval(), clip[:, :, :, kept]),
                )
            )
        expected = np.log(whole / (1 - whole)) - np.log(without / (1 - without))
        np.testing.assert_allclose(found.contributions[:, frame], expected, atol=1e-4)


def test_the_most_usual_view_is_explained(inferencer, videos):
    found = explain(inferencer, videos[1], ['a', 'b', 'c'], patch=16)
    assert found.views == 6
    pipeline = inferencer.pipeline(videos[1])['inputs']
    expected = pipeline[found.view].permute(1, 2, 3, 0).numpy()
    np.testing.assert_array_equal(found.frames, expected)
    model = inferencer.model
    data = inferencer.collate_fn([inferencer.pipeline(videos[1])])
    frames = model.data_preprocessor(data, False)['inputs']
    texts = model.cls_head.make_texts(['a', 'b', 'c'])
    with torch.no_grad():
        text = model.cls_head.text_features(texts)
        logits = model.cls_head.score(*encode_video(model, frames), text)
    scores = logits.softmax(dim=1).numpy()
    np.testing.assert_allclose(found.scores, scores[found.view], atol=1e-5)
    distances = np.square(scores - scores.mean(axis=0)).sum(axis=1)
    assert distances[found.view] == distances.min()
    assert found.scores.sum() == pytest.approx(1, abs=1e-5)


def test_messages_are_the_attention_that_ran(inferencer, videos):
    found = explain(inferencer, videos[0], patch=16)
    assert found.messages.shape == (2, 4, 4)
    np.testing.assert_allclose(found.messages.sum(axis=2), 1, atol=1e-5)
    assert np.ptp(found.messages) > 0
    modules = inferencer.model.modules()
    assert not any(module._forward_pre_hooks for module in modules)


def test_weights_of_attention_are_those_of_forward():
    attention = SelfAttention(8, 2)
    x = torch.randn(3, 5, 8)
    weights = attention.weights(x)
    v = (x @ attention.in_proj_weight[16:].mT).unflatten(-1, (2, 4)).transpose(1, 2)
    mixed = (weights @ v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention.out_proj(mixed), attention(x))


@pytest.mark.parametrize('communication', ['none', 'joint'])
def test_models_without_messages_are_explained_too(
    tiny_model, config_file, videos, communication, tmp_path
):
    config = Config.fromfile(config_file)
    config.model.backbone.communication = communication
    with pytest.warns(UserWarning, match='not loaded'):
        inferencer = XCLIPInferencer(config, device='cpu')
    found = explain(inferencer, videos[0], patch=16)
    assert found.messages.shape == (0, 4, 4)
    write_explanation(found, tmp_path / 'a.png')


def test_several_labels_are_explained_one_by_one(tiny_model, config_file, videos):
    """Each against 'no': other labels do not matter."""
    config = Config.fromfile(config_file)
    config.model.cls_head.type = 'MultiLabelHead'
    config.model.cls_head.logit_bias = -1
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='not loaded'):
        inferencer = XCLIPInferencer(config, device='cpu')
    few = explain(inferencer, videos[0], ['a', 'b'], patch=16)
    more = explain(inferencer, videos[0], ['a', 'b', 'c'], patch=16)
    if few.view == more.view:
        np.testing.assert_allclose(few.maps, more.maps[:2], atol=1e-4)
    one = explain(inferencer, videos[0], ['a'], patch=16)
    assert one.scores.shape == (1,)


def test_one_label_is_refused(inferencer, videos):
    with pytest.raises(ValueError, match='give several'):
        explain(inferencer, videos[0], ['a'])
