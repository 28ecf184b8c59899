"""Videos from the web, as files that can seek."""

import shutil
import tempfile
from contextlib import ExitStack
from http.client import IncompleteRead
from typing import BinaryIO
from urllib.request import urlopen

_PATIENCE = 60  # seconds without data


def download(address: str) -> BinaryIO:
    """Copy a video into a nameless temporary file, which goes when it is closed.

    A copy, as not all servers send parts of a file, and readers go through it twice.
    It lies where Python's ``tempfile`` puts it (``TMPDIR``).

    Args:
        address: ``http://`` or ``https://``.

    Raises:
        OSError: It cannot be read, or the disk is full.
        HTTPException: The answer is broken.
    """
    with ExitStack() as undo, urlopen(address, timeout=_PATIENCE) as answer:
        file = undo.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(answer, file)
        if answer.length:  # should have come
            raise IncompleteRead(b'', answer.length)
        undo.pop_all()
    return file
