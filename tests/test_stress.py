"""A little of the scripts in tests/stress; they say how to run all of them."""

import runpy

import pytest


@pytest.mark.slow
@pytest.mark.parametrize('options', [{}, dict(by_iter=True, processes=2)])
def test_killed_trainings_end_with_the_same_weights(root, tmp_path, options):
    script = runpy.run_path(str(root / 'tests/stress/kill_training.py'))
    script['kill_all'](tmp_path, kills=3, **options)
