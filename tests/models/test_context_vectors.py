"""Learned context vectors, and the interface of prompt learners."""

import pytest
import torch
from mmaction.registry import MODELS

from mmxclip.models import CLIPTextEncoder, ContextVectors, PromptLearner, XCLIPHead
from mmxclip.text import tokenize

ARCH = dict(
    embed_dims=16,
    depth=2,
    num_heads=2,
    out_dims=8,
    context_length=77,
    vocab_size=49408,
)
NAMES = ['archery', 'playing a very long instrument', 'golf']


@pytest.fixture
def tower():
    return CLIPTextEncoder(ARCH)


def head(prompt, **kwargs):
    text_encoder = dict(type='CLIPTextEncoder', arch=ARCH)
    return XCLIPHead(NAMES, text_encoder=text_encoder, prompt=prompt, **kwargs)


def test_vectors_stand_where_words_would(tower):
    """Vectors that equal the embeddings of words give the text with these words."""
    words = tokenize(['a video of golf'])
    prompt = ContextVectors(3, 16)
    with torch.no_grad():
        prompt.vectors.copy_(tower.token_embedding(words[0, 1:4]))
        torch.testing.assert_close(
            prompt.encode(tower, tokenize(['golf'])[:, :5]), tower(words)
        )


def test_classes_do_not_depend_on_each_other(tower):
    prompt, tokens = ContextVectors(4, 16), tokenize(NAMES)[:, :10]
    together = prompt.encode(tower, tokens)
    for i in range(len(NAMES)):
        torch.testing.assert_close(
            prompt.encode(tower, tokens[i : i + 1])[0], together[i]
        )


def test_only_vectors_learn_and_nothing_is_cached():
    model = head(dict(type='ContextVectors', num_vectors=4, embed_dims=16))
    video, label = torch.randn(2, 8), torch.tensor([0, 2])
    assert [n for n, p in model.named_parameters() if p.requires_grad] == [
        'prompt.vectors'
    ]
    before = model(video)
    torch.nn.functional.cross_entropy(before, label).backward()
    assert model.prompt.vectors.grad.abs().sum() > 0
    with torch.no_grad():
        model.prompt.vectors -= model.prompt.vectors.grad
    model.eval()
    assert not torch.allclose(model(video), before)


def test_works_on_all_templates_and_new_classes():
    model = head(
        dict(type='ContextVectors', num_vectors=4, embed_dims=16), templates='action16'
    ).eval()
    assert model(torch.randn(2, 8)).shape == (2, 3)
    model.set_classes(['a', 'b', 'c', 'd'])
    assert model(torch.randn(2, 8)).shape == (2, 4)


def test_vectors_may_fill_the_context_to_its_end():
    def score(num_vectors):
        prompt = dict(type='ContextVectors', num_vectors=num_vectors, embed_dims=16)
        text_encoder = dict(type='CLIPTextEncoder', arch=dict(ARCH, context_length=8))
        model = XCLIPHead(['archery', 'golf'], text_encoder=text_encoder, prompt=prompt)
        return model(torch.randn(3, 8))

    assert score(5).shape == (3, 2)  # behind a start, before a word and an end
    with pytest.raises(ValueError, match=r' 9 tokens.* 8'):
        score(6)


def test_vectors_fit_a_tower_of_half_precision(tower):
    prompt, tokens = ContextVectors(4, 16), tokenize(NAMES)[:, :10]
    expected = prompt.encode(tower, tokens)
    features = prompt.encode(tower.bfloat16(), tokens)
    assert features.dtype == torch.bfloat16
    torch.testing.assert_close(features.float(), expected, atol=0.1, rtol=0.1)


def test_bad_arguments(tower):
    with pytest.raises(ValueError, match='num_vectors'):
        ContextVectors(0)
    with pytest.raises(ValueError, match=r'embed_dims=32 .* 16'):
        ContextVectors(4, 32).encode(tower, tokenize(NAMES))
    with pytest.raises(ValueError, match=r'num_vectors=75.* 77'):
        ContextVectors(75, 16).encode(tower, tokenize(NAMES))


class Shift(PromptLearner):
    """A learner of one line: the new file that the interface promises."""

    def forward(self, text, context=None):
        return text + 1


def test_a_new_learner_is_a_new_class():
    MODELS.register_module(module=Shift, force=True)
    plain, shifted = head(None), head(dict(type='Shift'))
    shifted.load_state_dict(plain.state_dict())
    video = torch.randn(2, 8)
    expected = plain.similarity(video, plain.text_features()[0] + 1)
    torch.testing.assert_close(shifted(video), expected)
    with torch.no_grad():  # a learner without text parts is cached
        assert shifted.text_features().data_ptr() == shifted.text_features().data_ptr()
