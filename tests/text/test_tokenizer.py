"""The tokenizer against OpenAI's token ids, with and without torchvision."""

import pytest
import torch

from mmxclip.text import load_templates, tokenize


def test_ids_are_openais(shared):
    stored = torch.load(shared / 'golden/openai_clip_tiny.pth', weights_only=True)
    assert torch.equal(tokenize(stored['texts']), stored['tokens'].long())


def test_one_text_is_a_row():
    tokens = tokenize('playing guitar')
    assert tokens.shape == (1, 77)
    assert tokens[0, 0] == 49406
    assert tokens[0].max() == 49407


def test_long_label_is_named():
    label = 'somersaulting ' * 40
    with pytest.raises(ValueError, match=r'77.*somersaulting'):
        tokenize(['short', label])


def test_end_token_may_be_the_last():
    tokens = tokenize('a b c', context_length=5)
    assert tokens[0].tolist()[-1] == 49407
    with pytest.raises(ValueError, match='5'):
        tokenize('a b c', context_length=4)


def test_sixteen_templates():
    templates = load_templates('action16')
    assert len(set(templates)) == 16
    assert all(t.format('x') != t for t in templates)


def test_a_template_may_stand_alone():
    assert load_templates('a video of {}.') == ('a video of {}.',)


@pytest.mark.parametrize(
    'bad', [[], 'action17', ['{} and {}'], ['{name}'], '{}}', None, 16, ['{}', None]]
)
def test_bad_templates_say_what_is_allowed(bad):
    with pytest.raises(ValueError, match='action16'):
        load_templates(bad)
