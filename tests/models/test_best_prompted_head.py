"""Prompting only the best classes: what is exact, and what keeps its order."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import nn


@pytest.fixture
def cfg(tiny_model):
    return tiny_model['cls_head']


def test_the_best_get_the_scores_of_the_full_head(cfg):
    full = MODELS.build(cfg).eval()
    nn.init.normal_(full.prompt.alpha, std=3)  # prompts that change the order
    feats = torch.randn(3, 16), torch.randn(3, 4, 4, 32)
    expected, plain = full(feats), full.similarity(feats[0], full.text_features()[0])
    ranks = plain.argsort(dim=1, descending=True)
    for number in (1, 3, 5, 9):
        head = MODELS.build(dict(cfg, type='BestPromptedHead', prompt_best=number))
        head.load_state_dict(full.state_dict())
        logits = head.eval()(feats)
        chosen, others = ranks[:, :number], ranks[:, number:]
        torch.testing.assert_close(logits.gather(1, chosen), expected.gather(1, chosen))
        rest = logits.gather(1, others)
        assert (rest.diff(dim=1) < 0).all()
        assert (rest <= logits.gather(1, chosen).amin(dim=1, keepdim=True)).all()
        # Their distances to each other and to the last of the best are unprompted.
        last = logits.gather(1, chosen).amin(dim=1, keepdim=True)
        gaps = torch.cat([last, rest], dim=1).diff(dim=1)
        torch.testing.assert_close(
            gaps, plain.gather(1, ranks[:, number - 1 :]).diff(dim=1)
        )
        torch.testing.assert_close(head.train()(feats), expected)


@pytest.mark.parametrize('templates', ['name', 'action16'])
def test_the_best_of_a_video_are_those_of_all_its_views(cfg, templates):
    options = dict(cfg, templates=templates, average_clips=None)
    full = MODELS.build(options).eval()
    nn.init.normal_(full.prompt.alpha, std=3)
    head = MODELS.build(dict(options, type='BestPromptedHead', prompt_best=2)).eval()
    head.load_state_dict(full.state_dict())
    feats = torch.randn(6, 16), torch.randn(6, 4, 4, 32)  # two videos of three views
    text = full.text_features()
    plain = torch.stack([full.similarity(feats[0], one) for one in text]).mean(dim=0)
    best = plain.view(2, 3, 5).mean(dim=1).argsort(dim=1, descending=True)
    samples = [ActionDataSample() for _ in range(2)]
    expected, given = (
        torch.stack([s.pred_score for s in h.predict(feats, samples)])
        for h in (full, head)
    )
    for video in range(2):
        chosen, others = best[video, :2], best[video, 2:]
        torch.testing.assert_close(given[video][:, chosen], expected[video][:, chosen])
        rest = given[video][:, others]
        assert (rest.diff(dim=1) < 0).all()
        assert (rest <= given[video][:, chosen].amin(dim=1, keepdim=True)).all()


def test_the_number_of_best_must_be_a_count(cfg):
    with pytest.raises(ValueError, match=r'prompt_best.* 1'):
        MODELS.build(dict(cfg, type='BestPromptedHead', prompt_best=0))
