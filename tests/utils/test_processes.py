"""What comes of items whose process crashes, hangs or fails."""

import faulthandler
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from mmxclip.utils.processes import Lost, map_isolated


def act(item):
    if item == 'crash':
        faulthandler.disable()
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == 'leave':
        os._exit(3)
    if item == 'hang':
        time.sleep(1000)
    if item == 'raise':
        raise ValueError('wrong use')
    return item.upper()


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 3])
def test_a_crash_or_a_hang_costs_one_item(workers):
    items = ['a', 'crash', 'b', 'hang', 'c', 'leave', 'd', 'e']
    results = dict(map_isolated(act, items, workers=workers, time_limit=2))
    assert [results[i] for i in (0, 2, 4, 6, 7)] == ['A', 'B', 'C', 'D', 'E']
    assert 'SIGSEGV' in results[1].reason
    assert '2 s' in results[3].reason
    assert 'exit code 3' in results[5].reason
    assert len(results) == len(items)


def test_an_error_is_the_callers():
    with pytest.raises(ValueError, match='wrong use'):
        list(map_isolated(act, ['a', 'raise', 'b'], workers=2))


def test_nothing_to_do_starts_nothing():
    assert list(map_isolated(act, [], workers=2)) == []


def test_results_may_be_left_unread():
    for place, result in map_isolated(act, ['a', 'hang'], workers=2):
        assert (place, result) == (0, 'A')
        break
    assert not isinstance(result, Lost)


def test_the_caller_gets_a_turn_while_nothing_comes():
    results = map_isolated(act, ['a', 'hang'], workers=2, tick=0.01)
    assert next(place for place, _ in results if place >= 0) == 0
    assert next(results) == (-1, None)
    results.close()


def report(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(1000)


def lead(folder):
    list(map_isolated(report, [folder, folder], workers=2))


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    parent = multiprocessing.get_context('fork').Process(target=lead, args=(tmp_path,))
    parent.start()
    _until(lambda: len(os.listdir(tmp_path)) == 2)
    parent.kill()
    parent.join()
    _until(lambda: not any(_lives(pid) for pid in os.listdir(tmp_path)))


def _lives(pid):
    try:
        return Path('/proc', pid, 'stat').read_text().split()[2] != 'Z'
    except OSError:
        return False


def _until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
