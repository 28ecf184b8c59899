"""Time, memory and the machine's own limit, measured side by side."""

import ctypes
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

Run = Callable[[], object]

M_MMAP_THRESHOLD = -3  # of malloc.h: larger blocks are mapped and unmapped one by one
LARGE_BLOCK = 2**20


class Stopwatch:
    """Time runs on a device.

    Args:
        device: Where the work is done; a GPU is waited for.
        clock: ``'wall'``, or ``'cpu'`` for the processor time of this process, which
            other processes on the machine disturb less. Threads add up in it: use one.
    """

    def __init__(self, device: torch.device, clock: str = 'wall') -> None:
        self.device = device
        self.now = time.perf_counter if clock == 'wall' else time.process_time

    def __call__(self, run: Run) -> float:
        """Return the seconds that one run takes."""
        self.wait()
        start = self.now()
        run()
        self.wait()
        return self.now() - start

    def wait(self) -> None:
        """Wait until the device has done its work."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)

    def alternate(self, runs: Sequence[Run], *, repeats: int) -> np.ndarray:
        """Time several runs in turns, so that what disturbs one disturbs all.

        Args:
            runs: What to time.
            repeats: How often each is run, after two runs that do not count.

        Returns:
            Seconds, (len(runs), repeats).
        """
        for run in (*runs, *runs):
            self(run)
        seconds = np.empty((len(runs), repeats))
        for repeat in range(repeats):
            # The one that comes second may find warmer caches: change places.
            for i in range(len(runs))[:: 1 if repeat % 2 == 0 else -1]:
                seconds[i, repeat] = self(runs[i])
        return seconds


def return_freed_memory() -> None:
    """Let glibc return freed tensors to the system at once.

    Else it keeps them in its heaps, whose holes are resident memory, too. To be called
    before there are any. It makes everything slower: time nothing in this process.
    """
    _call_glibc('mallopt', M_MMAP_THRESHOLD, LARGE_BLOCK)


def added_memory(run: Run, device: torch.device) -> int:
    """Return the bytes by which a run's peak exceeds what was in use before.

    On a GPU, memory that torch allocated; else the resident set; see
    :func:`return_freed_memory`.

    Raises:
        OSError: This system does not tell the peak of the resident set; Linux does.
    """
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    _call_glibc('malloc_trim', 0)  # give back what is free by now
    # The peak starts again from what is resident now.
    Path('/proc/self/clear_refs').write_text('5')
    before = _resident('VmRSS')
    run()
    return _resident('VmHWM') - before


def _call_glibc(function: str, *arguments: int) -> None:
    with suppress(OSError, AttributeError):  # another C library
        getattr(ctypes.CDLL('libc.so.6'), function)(*arguments)


def _resident(key: str) -> int:
    status = Path('/proc/self/status').read_text()
    line = next(x for x in status.splitlines() if x.startswith(key))
    return int(line.split()[1]) * 1024


class MatrixProduct:
    """A run of one large matrix product, to compare a model's work with.

    Args:
        dtype: Of the matrices.
        device: Where they are.

    Attributes:
        multiply_adds: The work of a run.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        size = 8192 if device.type == 'cuda' else 1024
        self.multiply_adds = size**3
        self._a, self._b = torch.randn(2, size, size, device=device).to(dtype)
        self._out = torch.empty_like(self._a)

    def __call__(self) -> None:
        """Multiply."""
        # Transposed as in linear layers: else some CPUs have no kernel for bfloat16.
        torch.mm(self._a, self._b.t(), out=self._out)


def describe_machine(device: torch.device) -> str:
    """Return the device, its threads and torch's version in words."""
    if device.type == 'cuda':
        name = torch.cuda.get_device_name(device)
    else:
        name = platform.processor() or platform.machine()
        with suppress(OSError, StopIteration):
            lines = Path('/proc/cpuinfo').read_text().splitlines()
            name = next(x for x in lines if x.startswith('model name'))
            name = name.partition(':')[2].strip()
        name += f', {torch.get_num_threads()} threads'
    return f'{name}, torch {torch.__version__}'
