"""Work on many items in processes of their own, which may crash or hang."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import Progress

# Wraps what is iterated over, of which it gets the number.
Track: TypeAlias = Callable[[Iterable[Any], int], Iterable[Any]]

_PATIENCE = 5  # seconds that a process may take to clean up


@dataclass(frozen=True)
class Lost:
    """Why an item has no result."""

    reason: str


def map_isolated(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    workers: int,
    time_limit: float | None = None,
    tick: float = float('inf'),
) -> Iterator[tuple[int, Any]]:
    """Call a function on each item in worker processes, whatever becomes of these.

    Args:
        function: Of one item; both are sent to the processes, and so is the result.
        items: What to work on, taken one by one as workers are free.
        workers: Number of processes.
        time_limit: Seconds after which the process of an item is killed.
        tick: Seconds after which the caller gets a turn while nothing comes.

    Yields:
        Place of an item and its result, as they come; a :class:`Lost` in place of the
        result where the process died or was killed; -1 and None for a tick.

    Raises:
        Exception: What the function raises.
    """
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        for place, item in enumerate(items):
            worker = idle.pop() if idle else _Worker(function)
            busy.append(worker)
            worker.start(place, item, time_limit)
            while len(busy) >= workers:
                yield from _collect(busy, idle, tick)
        while busy:
            yield from _collect(busy, idle, tick)
    finally:
        for worker in busy + idle:
            worker.process.terminate()
        for worker in busy + idle:
            worker.process.join(_PATIENCE)
            worker.kill()


def untracked(items: Iterable[Any], total: int) -> Iterable[Any]:
    """Return the items: nobody looks how far the work is."""
    return items


def with_progress(
    results: Iterable[Any], total: int, *, stderr: bool = False
) -> Iterator[Any]:
    """Hand on results, with a progress bar and the time that is left.

    Args:
        results: They.
        total: How many they are.
        stderr: Show the bar there, and on a terminal only: stdout is for answers.
    """
    console = Console(stderr=stderr)
    with Progress(
        console=console,
        auto_refresh=False,  # by a thread, which processes should not be forked beside
        redirect_stdout=sys.stdout.isatty(),
        disable=stderr and not console.is_terminal,
    ) as progress:
        task = progress.add_task('', total=total)
        for result in results:
            yield result
            progress.advance(task)
            progress.refresh()


def _collect(
    busy: list['_Worker'], idle: list['_Worker'], tick: float
) -> Iterator[tuple[int, Any]]:
    """Hand over what came of at least one item, or a tick."""
    deadline = min(worker.deadline for worker in busy)
    patience = min(max(deadline - time.monotonic(), 0), tick)
    connections = [worker.connection for worker in busy]
    ready = wait(connections, None if patience == float('inf') else patience)
    if not ready and patience == tick:
        yield -1, None
    for worker in [w for w in busy if w.connection in ready or w.is_late()]:
        outcome = worker.finish() if worker.connection in ready else worker.time_out()
        busy.remove(worker)
        if worker.process.is_alive():
            idle.append(worker)
        yield worker.place, outcome


class _Worker:
    """A process that works on one item after the other."""

    def __init__(self, function: Callable) -> None:
        self.connection, there = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=_serve, args=(function, there), daemon=True
        )
        self.process.start()
        there.close()  # so that the death of the process shows
        self.connection.recv()  # it has imported what it needs

    def start(self, place: int, item: Any, time_limit: float | None) -> None:
        self.place = place
        self.time_limit = time_limit
        self.deadline = time.monotonic() + (time_limit or float('inf'))
        self.connection.send(item)

    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    def finish(self) -> Any:
        try:
            result, error = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.kill()
            code = self.process.exitcode or 0
            name = signal.Signals(-code).name if code < 0 else f'exit code {code}'
            return Lost(f'ended its process ({name})')
        if error is not None:
            raise error
        return result

    def time_out(self) -> Lost:
        self.kill()
        return Lost(f'took longer than {self.time_limit:g} s')

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(function: Callable, connection: Connection) -> None:
    gc.freeze()  # what a fork has copied, such as decoders, is the parent's to free
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # after cleaning up
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection.send('ready')
    while True:
        item = connection.recv()
        answer: tuple[Any, Exception | None]
        try:
            answer = function(item), None
        except Exception as error:
            answer = None, error
        connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
