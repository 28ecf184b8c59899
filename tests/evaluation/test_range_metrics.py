"""Ranges against the true ones."""

from typing import NamedTuple

import pytest

from mmxclip.evaluation.range_metrics import frame_accuracy, range_f1


class Part(NamedTuple):
    label: str
    start: float
    end: float


TRUE = [Part('a', 0, 2), Part('b', 2, 4), Part('a', 6, 8)]


def test_frames_with_the_right_label_count_and_those_rightly_without():
    def accuracy(found):
        return frame_accuracy(found, TRUE, duration=10, fps=10)

    assert accuracy(TRUE) == 1
    assert accuracy([]) == pytest.approx(0.4)
    assert accuracy([Part('a', 0, 10)]) == pytest.approx(0.4)
    assert accuracy([Part('b', 0, 4)]) == pytest.approx(0.6)


def test_ranges_are_right_once_and_by_enough_of_both():
    assert range_f1(TRUE, TRUE) == 1
    assert range_f1([], TRUE) == 0
    assert range_f1([Part('a', 1, 3)], TRUE) == 0
    assert range_f1([Part('b', 3, 4)], TRUE) == pytest.approx(0.5)
    torn = [Part('a', 0, 1.2), Part('a', 1.2, 2)]
    assert range_f1(torn, TRUE) == pytest.approx(2 / 5)
    assert range_f1([Part('b', 0, 2)], TRUE) == 0
