"""Work in a thread beside the caller's."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any

_TICK = 0.1  # seconds


def ahead(items: Iterable[Any], count: int = 1) -> Generator[Any, None, None]:
    """Hand on items that a thread makes while the caller works on those before.

    Close the iterator (``contextlib.closing``) before what the items come from: the
    thread has ended then.

    Args:
        items: Nothing else may use it meanwhile.
        count: Items that wait at most, beside the one that is being made.

    Raises:
        Exception: What ``items`` raises, in its place.
    """
    made: queue.Queue = queue.Queue(count)
    closed = threading.Event()

    def put(*entry: Any) -> None:
        while not closed.is_set():
            try:
                made.put(entry, timeout=_TICK)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put(item, None)
                if closed.is_set():
                    return
        except BaseException as error:
            put(None, error)
        else:
            put(None, StopIteration())

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        closed.set()
        thread.join()
