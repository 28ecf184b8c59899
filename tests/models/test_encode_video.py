"""Videos and texts apart: what a search, a stream or a page needs of the model."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from mmxclip.models import ClassTexts, encode_video


@pytest.fixture
def model(tiny_model):
    return MODELS.build(tiny_model).eval()


@pytest.mark.parametrize('prompt', [True, False])
def test_a_video_is_encoded_once_and_scored_against_any_texts(tiny_model, prompt):
    if not prompt:
        tiny_model['cls_head']['prompt'] = None
    model = MODELS.build(tiny_model).eval()
    head, frames = model.cls_head, torch.randn(2, 3, 3, 4, 32, 32)
    with torch.no_grad():
        embedding, context = encode_video(model, frames)
        assert embedding.shape == (6, 16)
        assert context.shape == (6, 4, 16) if prompt else context is None
        for classes in (head.classes, ['a dog runs', 'a cat sleeps']):
            texts = head.make_texts(classes)
            logits = head.score(embedding, context, head.text_features(texts))
            scores = logits.softmax(dim=1).view(2, 3, -1).mean(dim=1)
            head.set_classes(classes)
            samples = [ActionDataSample() for _ in range(2)]
            predicted = model(frames, samples, mode='predict')
            expected = torch.stack([sample.pred_score for sample in predicted])
            torch.testing.assert_close(scores, expected)


def test_a_call_with_its_own_texts_changes_nothing(model):
    head, feats = model.cls_head, (torch.randn(2, 16), torch.randn(2, 4, 4, 32))
    before = head(feats)
    other = head.make_texts(['one', 'two', 'three'])
    assert head(feats, texts=other).shape == (2, 3)
    assert len(head.classes) == head.num_classes == 5
    assert torch.equal(head(feats), before)


def test_texts_need_no_head(model):
    tower = model.cls_head.text_encoder
    names = ['a dog runs', 'a cat sleeps']
    texts = ClassTexts(names, templates='action16', tokenize=tower.tokenize)
    features = texts.features(tower)
    assert features.shape == (16, 2, 16)
    assert texts.features(tower) is features
    torch.testing.assert_close(features, texts.encode(tower))
