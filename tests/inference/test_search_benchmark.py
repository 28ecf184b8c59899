"""How well and how fast searches are, as the benchmark tells."""

import json

import pytest
import torch

from mmxclip.benchmarks.searches import retrieval_metrics


def test_the_metric_is_that_of_ranks():
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.2, 0.1], [-0.1, -0.2, -0.3]])
    assert retrieval_metrics(scores) == dict(
        R1=pytest.approx(100 / 3), R5=100, MnR=pytest.approx((1 + 2 + 3) / 3)
    )


@pytest.mark.slow
def test_the_tool_searches_for_compositions(tool, config_file, checkpoint, tmp_path):
    texts = [f'a {colour} circle moving left' for colour in ('red', 'green', 'blue')]
    (tmp_path / 'texts.txt').write_text('\n'.join(texts))
    args = ('--config', config_file, '--checkpoint', checkpoint, '--rounds', 2)
    printed = tool('benchmark_search.py', *args, '--texts', tmp_path / 'texts.txt')
    plain, prompted = map(json.loads, printed.splitlines())
    assert (plain['search'], prompted['search']) == ('plain', 'with prompts')
    for row in (plain, prompted):
        assert row['texts'] == 3
        assert row['R5'] == 100
        assert 1 <= row['MnR'] <= 3


@pytest.mark.slow
def test_the_tool_times_random_windows(tool):
    row = json.loads(tool('benchmark_search.py', '--speed', '--windows', 1050))
    assert row['windows'] == 1050
    assert min(row['first'], row['median'], row['processor']) >= 0
