"""How right timelines are, as the benchmark tells."""

import json

import pytest


@pytest.mark.slow
def test_windows_of_several_lengths(tool, config_file, checkpoint):
    model = ('--config', config_file, '--checkpoint', checkpoint)
    printed = tool('benchmark_timeline.py', *model, '--films', 1, '--clips', 2)
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [row['window'] for row in rows] == [1, 1.5, 2, 2, 2]
    for row in rows:
        assert 0 <= row['frame_accuracy'] <= 1
        assert 0 <= row['f1'] <= 1
