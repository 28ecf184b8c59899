"""Text files: decoded with a message, written whole."""

import os
from pathlib import Path
from uuid import uuid4


def decode_text(data: bytes, where: str) -> str:
    """Return a file's text, without a byte order mark.

    Args:
        data: Content of the file.
        where: Its name, for the message.

    Raises:
        ValueError: It is not UTF-8.
    """
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{where} is not UTF-8 text; save it as UTF-8') from error


def write_text(path: str | os.PathLike, text: str, overwrite: bool = False) -> Path:
    """Write a text file in one step, so that nobody ever sees half of it.

    Args:
        path: The file; folders are made.
        text: Its content.
        overwrite: Replace a file of other content. The same content is no change
            and always allowed.

    Raises:
        FileExistsError: A file of other content is there and ``overwrite`` is off.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        if path.read_text(encoding='utf-8') == text:
            return path
        raise FileExistsError(
            f'{path} exists with other content; pass --overwrite to replace it, or '
            'write somewhere else'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not a process id, which two machines that share a disk may both have.
    scratch = path.with_name(f'.{path.name}.{uuid4().hex}')
    try:
        scratch.write_text(text, encoding='utf-8', newline='\n')
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
    return path
