"""Work in a thread beside the caller's."""

import threading
import time
from contextlib import closing

import pytest

from mmxclip.utils.threads import ahead


def test_items_come_in_order_and_ahead_of_the_caller():
    made = []

    def items():
        for number in range(5):
            made.append(number)
            yield number

    with closing(ahead(items(), 2)) as results:
        assert next(results) == 0
        deadline = time.monotonic() + 10
        while len(made) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made == [0, 1, 2, 3]  # two wait, one is in the hand of the thread
        assert list(results) == [1, 2, 3, 4]


def test_errors_come_in_their_place():
    def items():
        yield 1
        raise OSError('gone')

    results = ahead(items())
    assert next(results) == 1
    with pytest.raises(OSError, match='gone'):
        next(results)


def test_the_thread_has_ended_when_the_iterator_is_closed():
    before = threading.active_count()
    with closing(ahead(iter(range(1000)))) as results:
        next(results)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
