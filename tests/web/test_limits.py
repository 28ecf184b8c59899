"""What one request may ask for."""

import re

import pytest

from mmxclip.datasets import VideoError
from mmxclip.web.limits import Limits

LIMITS = Limits(megabytes=0.05, seconds=5, words=3, characters=10)


def test_texts_stand_between_commas_and_in_lines():
    given = 'a dog runs, "one, two"\n\n  a cat  \n'
    assert Limits().check_words(given) == ['a dog runs', 'one, two', 'a cat']
    assert Limits().check_words('', least=0) == []


@pytest.mark.parametrize(
    ('given', 'number'),
    [
        ('', '2 .*0'),
        (None, '2 .*0'),
        (' , \n,', '2 .*0'),
        ('one', '2 .*1'),
        ('a, b, c, d', '4 .*3'),
        ('a, ' + 'b' * 11, '11 .*10'),
        ('a, a', 'a'),
    ],
)
def test_other_texts_are_refused(given, number):
    with pytest.raises(ValueError, match=number):
        LIMITS.check_words(given)


def test_no_file_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret.txt').write_text('one\ntwo\n')
    assert Limits().check_words('secret.txt, hmdb51') == ['secret.txt', 'hmdb51']


def test_clips(film, tmp_path):
    assert Limits().check_clip(film) == film
    with pytest.raises(ValueError, match=re.escape('6.0 s; at most 5')):
        Limits(seconds=5).check_clip(film)
    with pytest.raises(ValueError, match=r'MB; at most 0\.001 MB'):
        Limits(megabytes=0.001).check_clip(film)
    with pytest.raises(ValueError, match='choose'):
        Limits().check_clip(None)
    text = tmp_path / 'text.mp4'
    text.write_text('no video\n')
    with pytest.raises(VideoError, match=r'text\.mp4'):
        Limits().check_clip(str(text))


@pytest.mark.parametrize('name', vars(Limits()))
def test_limits_are_above_0(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})
