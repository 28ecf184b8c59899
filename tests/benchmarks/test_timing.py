"""How the benchmarks measure time and memory."""

import sys
import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mmxclip.benchmarks import timing

CPU = torch.device('cpu')


def test_runs_take_turns_and_change_places():
    calls = []
    runs = [lambda name=name: calls.append(name) for name in 'abc']
    seconds = timing.Stopwatch(CPU).alternate(runs, repeats=3)
    assert ''.join(calls) == 'abcabc' + 'abc' + 'cba' + 'abc'  # two that do not count
    assert seconds.shape == (3, 3)


def test_each_run_gets_its_own_time():
    slow, fast = timing.Stopwatch(CPU).alternate(
        [lambda: time.sleep(0.02), lambda: None], repeats=3
    )
    assert min(slow) >= 0.02
    assert sorted(fast)[1] < 0.01


def test_processor_time_leaves_waiting_out():
    assert timing.Stopwatch(CPU)(lambda: time.sleep(0.05)) >= 0.05
    assert timing.Stopwatch(CPU, clock='cpu')(lambda: time.sleep(0.05)) < 0.03


def test_memory_is_the_peak_that_a_run_adds():
    torch.ones(32 * 2**20).sum()  # 128 MB, given back before, do not count,
    held = torch.ones(8 * 2**20)  # nor do 32 MB that are in use

    def run():
        torch.ones(16 * 2**20).sum()  # 64 MB, given back before the end

    added = timing.added_memory(run, CPU)
    assert held.all()
    assert added == pytest.approx(64 * 2**20, rel=0.25)


HOLES = """
import sys
import torch

from mmxclip.benchmarks.timing import added_memory, return_freed_memory

return_freed_memory()

def run():
    blocks = [torch.ones(2**20) for _ in range(20)]  # 4 MB each
    blocks = blocks[::2]
    return blocks + [torch.ones(2**20 + 2**18) for _ in range(8)]  # fit no hole

run()
print(added_memory(run, torch.device('cpu')))
"""


def test_freed_memory_is_not_counted(command):
    added = command(sys.executable, '-c', HOLES).strip()
    assert int(added) == pytest.approx(80 * 2**20, rel=0.1)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_product_does_the_work_it_names(dtype):
    product = timing.MatrixProduct(dtype, CPU)
    with FlopCounterMode(display=False) as counter:
        product()
    assert counter.get_total_flops() == 2 * product.multiply_adds


def test_the_machine_is_described_by_what_is_measured_on():
    text = timing.describe_machine(CPU)
    assert f'{torch.get_num_threads()} threads, torch {torch.__version__}' in text
