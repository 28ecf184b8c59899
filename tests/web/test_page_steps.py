"""Work that tells how far it is, and can be stopped."""

import threading

import pytest

from mmxclip.web.steps import in_steps


def test_tells_and_returns():
    def work(track):
        return sum(track([1, 2, 3], 3))

    def shown():
        results.append((yield from in_steps(work, lambda *step: step)))

    results = []
    assert list(shown()) == [(0, 3), (1, 3), (2, 3)]
    assert results == [6]


def test_passes_errors_on():
    def work(track):
        list(track([1], 1))
        raise ValueError('no video')

    with pytest.raises(ValueError, match='no video'):
        list(in_steps(work, lambda *_: None))


def test_closing_ends_the_work():
    seen, begun, go_on = [], threading.Event(), threading.Event()

    def work(track):
        for item in track(range(10), 10):
            seen.append(item)
            begun.set()
            go_on.wait()

    steps = in_steps(work, lambda *_: None)
    next(steps)
    begun.wait()
    # The work waits in its first step until close has been called.
    threading.Timer(0.1, go_on.set).start()
    steps.close()
    assert seen == [0]
