"""Time, memory and the machine's own limit, measured side by side."""

import ctypes
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

Run = Callable[[], object]

M_MMAP_THRESHOLD = -3  # of malloc.h: larger blocks are mapped and unmapped one by one
LARGE_BLOCK = 2**20


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs, in the order in which they were made."""

    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile in seconds."""
        return quartiles(self.seconds)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method='inclusive')
    return first, third


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

    def alternate(
        self, runs: Sequence[Run], *, repeats: int, yardstick: Run | None = None
    ) -> list[Timing]:
        """Time several runs in turns, so that what disturbs one disturbs all.

        Args:
            runs: What to time.
            repeats: How often each is run, after two runs that do not count.
            yardstick: Is timed, too, before the others in each turn.

        Returns:
            list: One timing for each of ``runs``, and then the yardstick's.
        """
        number = len(runs)
        runs = [*runs] if yardstick is None else [*runs, yardstick]
        for run in (*runs, *runs):
            self(run)
        seconds: list[list[float]] = [[] for _ in runs]
        for repeat in range(repeats):
            # The one that comes second may find warmer caches: change places.
            order = range(number) if repeat % 2 == 0 else reversed(range(number))
            for i in (*range(number, len(runs)), *order):
                seconds[i].append(self(runs[i]))
        return [Timing(s) for s in seconds]


def return_freed_memory() -> None:
    """Let glibc return freed tensors to the system at once.

    Else it keeps them in its heaps, whose holes are resident memory, too. To be called
    before there are any. It makes everything slower: time nothing in this process.
    """
    _call_glibc('mallopt', M_MMAP_THRESHOLD, LARGE_BLOCK)


def added_memory(run: Run, device: torch.device) -> int | None:
    """Return the bytes by which a run's peak exceeds what was in use before.

    On a GPU, memory that torch allocated; else the resident set (Linux; None
    elsewhere); see :func:`return_freed_memory`.
    """
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    status, clear = Path('/proc/self/status'), Path('/proc/self/clear_refs')
    if not status.exists():
        return None
    _call_glibc('malloc_trim', 0)  # give back what is free by now
    try:
        clear.write_text('5')  # the peak starts again from what is resident now
    except OSError:
        return None
    before = _resident('VmRSS', status)
    run()
    return _resident('VmHWM', status) - before


def _call_glibc(function: str, *arguments: int) -> None:
    with suppress(OSError, AttributeError):  # another C library
        getattr(ctypes.CDLL('libc.so.6'), function)(*arguments)


def _resident(key: str, status: Path) -> int:
    line = next(x for x in status.read_text().splitlines() if x.startswith(key))
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
