"""What comes of items whose process crashes, hangs or fails."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmxclip.utils.processes import Lost, map_isolated


def act(item):
    if item == 'crash':
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == 'leave':
        os._exit(3)
    if item == 'hang':
        time.sleep(1000)
    if item == 'raise':
        raise ValueError('wrong use')
    return item.upper()


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


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    script = (
        'import os, sys, time, pathlib\n'
        'from mmxclip.utils.processes import map_isolated\n'
        'def work(item):\n'
        f'    pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()\n'
        '    time.sleep(1000)\n'
        'if __name__ == "__main__":\n'
        '    list(map_isolated(work, [1, 2], workers=2))\n'
    )
    parent = subprocess.Popen([sys.executable, '-c', script])
    _until(lambda: len(os.listdir(tmp_path)) == 2)
    parent.kill()
    parent.wait()
    _until(lambda: not any(Path('/proc', pid).exists() for pid in os.listdir(tmp_path)))


def _until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
