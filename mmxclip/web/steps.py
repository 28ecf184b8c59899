"""Long work as steps between which it can be stopped."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any


class _StoppedError(Exception):
    """Ends the work, from within."""


def in_steps(
    work: Callable[..., Any], tell: Callable[[int, int], Any]
) -> Generator[Any, None, Any]:
    """Do work in a thread, and yield how far it is.

    To close the generator, as Gradio does when a user stops the work or has left, ends
    the work at its next step, and waits for that.

    Args:
        work: Takes ``track``, such as :func:`mmxclip.inference.make_timeline`.
        tell: Makes what is yielded of the number of steps that are done, and of all.

    Returns:
        What the work returns.

    Raises:
        Exception: What the work raises.
    """
    told: SimpleQueue[tuple[int, int] | None] = SimpleQueue()
    closed = threading.Event()

    def track(items: Iterable[Any], total: int) -> Iterator[Any]:
        for done, item in enumerate(items):
            if closed.is_set():
                raise _StoppedError
            told.put((done, total))
            yield item

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work, track=track)
        future.add_done_callback(lambda _: told.put(None))
        try:
            while (step := told.get()) is not None:
                yield tell(*step)
        finally:
            closed.set()
    return future.result()
