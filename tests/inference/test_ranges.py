"""Ranges of time out of scores."""

import pytest

from mmxclip.inference.ranges import RangeFinder, Rules


def find(scores, *, labels='ab', length=2.0, stride=1.0, gap=0.0, times=None, **rules):
    """Ranges of windows with these scores, as (label, start, end)."""
    finder = RangeFinder(list(labels), Rules(**rules), gap)
    times = times or [i * stride for i in range(len(scores))]
    found = []
    for start, row in zip(times, scores, strict=True):
        found += finder.add(start, start + length, row)
    return [tuple(one)[:3] for one in found + finder.finish()]


A, B, NONE = (0.9, 0.1), (0.1, 0.9), (0.3, 0.3)


def test_windows_speak_for_the_time_around_their_middles():
    assert find([A, A, B, B]) == [('a', 0, 2.5), ('b', 2.5, 5)]
    assert find([A, A, B], length=1) == [('a', 0, 2), ('b', 2, 3)]
    assert find([A]) == [('a', 0, 2)]
    assert find([A, A, B], length=1, stride=3, gap=2) == [('a', 0, 5), ('b', 5, 7)]


def test_nothing_of_these():
    assert find([NONE] * 5) == []
    assert find([NONE, NONE, A, A, NONE, NONE]) == [('a', 2.5, 4.5)]


def test_a_score_that_wavers_does_not_tear_a_range_apart():
    rows = [(score, 0.1) for score in (0.6, 0.45, 0.4, 0.6, 0.3, 0.45)]
    assert find(rows) == [('a', 0, 4.5)]
    assert find(rows, release=0.5, least=0) == [('a', 0, 1.5), ('a', 3.5, 4.5)]


def test_what_is_short_belongs_to_what_was_before():
    rows = [A, A, A, B, A, A, NONE, A]
    assert find(rows, least=1.5) == [('a', 0, 9)]
    assert find(rows, least=1)[:3] == [('a', 0, 3.5), ('b', 3.5, 4.5), ('a', 4.5, 6.5)]
    assert find([B, A, A, A], least=2) == [('a', 1.5, 5)]


def test_several_at_once_only_if_asked():
    both = (0.6, 0.7)
    rows = [A, both, both, B]
    assert find(rows) == [('a', 0, 1.5), ('b', 1.5, 5)]
    assert set(find(rows, overlapping=True)) == {('a', 0, 3.5), ('b', 1.5, 5)}


def test_a_time_without_windows_ends_ranges():
    assert find([A, A], times=[0, 10]) == [('a', 0, 2), ('a', 10, 12)]
    assert find([A, A], times=[0, 10], gap=8) == [('a', 0, 12)]


def test_scores_are_means_over_the_windows_that_show_it():
    finder = RangeFinder(['a', 'b'], Rules(least=2))
    for i, score in enumerate((0.8, 0.7, 0.1, 0.6)):
        assert not finder.add(i, i + 2, (score, 0.0))
    (running,) = finder.running
    assert running.score == pytest.approx(0.7)
    assert finder.finish() == [running]


@pytest.mark.parametrize(
    ('wrong', 'name'),
    [
        (dict(threshold=0), 'threshold'),
        (dict(threshold=1.5), 'threshold'),
        (dict(release=0.6), 'release'),
        (dict(least=-1), 'least'),
    ],
)
def test_wrong_rules_are_told(wrong, name):
    with pytest.raises(ValueError, match=name):
        Rules(**wrong)
