"""The tokenizer that needs no packages, against OpenAI's."""

import pytest

from mmxclip.export.standalone.clip_tokenizer import Tokenizer
from mmxclip.text import load_class_names, tokenize
from mmxclip.text.tokenizer import clip_file


@pytest.fixture(scope='module')
def tokenizer():
    return Tokenizer(clip_file('bpe_simple_vocab_16e6.txt.gz'))


@pytest.mark.parametrize('words', ['kinetics600', 'hmdb51', 'ssv2', 'ucf101'])
def test_packaged_lists(tokenizer, words):
    _compare(tokenizer, load_class_names(words))


def test_signs_and_languages(tokenizer):
    texts = [
        "it's they've WE'LL i'd",
        'cut 3/4 of 12½ m² — “quoted” \u2018so\u2019…',
        'Übermut, naïve café; e\u0301',
        'a_b-c (d) [e] {f} #1 @home 100%',
        'a &amp; b &lt;i&gt;',
        '滑雪 スキー лыжи',
        'family 👨‍👩‍👧 dances \t on\n ice',
        '٣ Ⅳ ①',
    ]
    _compare(tokenizer, texts)


def _compare(tokenizer, texts):
    for text, row in zip(texts, tokenize(texts).tolist(), strict=True):
        ids = tokenizer(text)
        assert ids == row[: len(ids)], text
        assert not any(row[len(ids) :]), text
