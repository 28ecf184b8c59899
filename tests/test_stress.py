"""A little of the scripts in tests/stress; they say how to run all of them."""

import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize('options', [[], ['--by-iter', '--processes', 2]])
def test_killed_trainings_end_with_the_same_weights(root, command, options):
    script = root / 'tests/stress/kill_training.py'
    said = command(sys.executable, script, '--kills', 3, *options)
    assert said.rstrip().endswith('all equal')
