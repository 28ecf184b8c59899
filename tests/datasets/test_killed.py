"""What writes data may be killed at any moment."""

import random
import runpy

import pytest


@pytest.mark.slow
@pytest.mark.parametrize('number', range(4))
def test_a_kill_leaves_nothing_wrong_and_nothing_behind(root, tmp_path, number):
    random.seed()
    script = runpy.run_path(str(root / 'tests/kill_data_writers.py'))
    script['kill'](script['WRITERS'][number], tmp_path, times=2)
