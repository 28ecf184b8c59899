"""Texts that say what else is seen in a video."""

import copy

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.text import Classes
from mmxclip.text.sentences import write_sentence

WORDS = dict(
    objects=['a piano', 'a dog', 'many trees'],
    scenes=['a park', 'the sea'],
    attributes=['dark', 'bright'],
)


@pytest.fixture
def make(tiny_model):
    def make(**options):
        torch.manual_seed(0)
        cfg = copy.deepcopy(tiny_model['cls_head'])
        prompt = dict(type='ContentPrompt', **WORDS, **options)
        return MODELS.build(cfg | dict(prompt=prompt)).eval()

    return make


@pytest.fixture
def feats():
    """Embeddings and frames of three videos."""
    return torch.randn(3, 16), torch.randn(3, 1, 4, 16)


def looks_like(head, text):
    """Frame embeddings of a video of what a text says, (1, 1, T, E)."""
    return head.text_features(head.make_texts([text])).expand(1, 1, 4, -1).detach()


def test_what_is_seen_stands_in_the_sentences(make):
    head = make(num_objects=1, least=0.5)
    found = []
    for text in ('a photo of a dog', 'a photo of many trees'):
        context = head.prompt.prepare_context(looks_like(head, text))
        (seen,) = head.prompt.see(context, head.text_encoder)
        found.append(dict(seen)['objects'])
    assert found == [('a dog',), ('many trees',)]
    classes = Classes.of({'run': ['running', 'a dog runs'], 'sit': 'sitting'})
    described = head.prompt.describe(classes, dict(objects=('a dog',), scene=()))
    assert described.names == ('run', 'sit')
    assert described.texts == (
        ('a video of a dog running', 'a video of a dog runs'),
        ('a video of a dog sitting',),
    )


def test_scores_are_those_of_the_sentences(make, feats):
    head = make()
    logits = head(feats)
    context = head.prompt.prepare_context(feats[1])
    contents = head.prompt.see(context, head.text_encoder)
    assert len(set(contents)) > 1
    for row, content in enumerate(contents):
        texts = head.make_texts(head.prompt.describe(head.classes, dict(content)))
        plain = head.text_features(texts)[0]
        expected = head.similarity(feats[0][row : row + 1], plain)
        torch.testing.assert_close(logits[row : row + 1], expected)


def test_other_classes_of_a_call_are_described(make, feats):
    head = make()
    texts = head.make_texts(['one', 'two'])
    assert head(feats, texts=texts).shape == (3, 2)
    head.set_classes(['one', 'two'])
    torch.testing.assert_close(head(feats), head(feats, texts=texts))


def test_the_tower_is_asked_once_for_a_content(make, feats):
    head = make(keep=1)
    calls = []
    head.text_encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    one, other = (tuple(x[i : i + 1] for x in feats) for i in (0, 1))
    head(one)
    assert len(calls) == 4  # three lists of words and the sentences
    head(one)
    assert len(calls) == 4
    head(other)
    head(one)
    assert len(calls) == 6  # one content is kept
    with torch.no_grad():
        head.text_encoder.text_projection.mul_(2)
    head(one)
    assert len(calls) == 10


def test_in_training_the_class_texts_are_plain(make, feats):
    head = make().train()
    plain = head.text_features()[0]
    torch.testing.assert_close(head(feats), head.similarity(feats[0], plain))


def test_what_cannot_be_done_is_told(make, feats):
    head = make()
    with pytest.raises(ValueError, match="context='frame_embeds'"):
        head((feats[0], torch.randn(3, 4, 9, 16)))
    with pytest.raises(ValueError, match='prompt=None'):
        head.score(*head.prepare(feats), head.text_features())
    for template in ('{action} in {place}', '{} runs', '{action'):
        with pytest.raises(ValueError, match='template may have'):
            make(template=template)
    with pytest.raises(ValueError, match='least'):
        make(least=1)


@pytest.mark.parametrize(
    ('action', 'seen', 'sentence'),
    [
        ('running', {}, 'a video of running'),
        ('run', dict(objects=['a dog', 'a cat']), 'a video of a dog and a cat run'),
        ('walking the Dog', dict(objects=['a dog']), 'a video of walking the Dog'),
        ('running', dict(scene=['a park']), 'a video of running in a park'),
    ],
)
def test_words_of_the_action_are_not_said_twice(action, seen, sentence):
    template = 'a video of [{objects} ]{action}[ in {scene}]'
    assert write_sentence(template, action, seen) == sentence
