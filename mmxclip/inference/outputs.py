"""Files for results, looked at before the work."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from mmxclip.utils.files import check_writable


def check_outputs(
    paths: Sequence[str | os.PathLike],
    source: str,
    endings: Collection[str],
    *,
    overwrite: bool = False,
) -> None:
    """Look before the work whether its results can be written.

    Args:
        paths: The files; folders are made.
        source: What the results are of, which must not be one of them.
        endings: With which their names may end, such as ``.json``.
        overwrite: Whether they may replace files.

    Raises:
        ValueError: An ending is unknown, or the file is the source itself.
        OSError: There is such a file, or the folder cannot be made or written into.
    """
    for path in map(Path, paths):
        if path.suffix.lower() not in endings:
            raise ValueError(
                f'{path} has none of the endings {" ".join(endings)}, which say what '
                'to write; choose one of them'
            )
        if os.path.exists(source) and path.exists() and os.path.samefile(path, source):
            raise ValueError(f'{path} is what is read; write somewhere else')
        if path.is_file() and not overwrite:
            raise FileExistsError(
                f'{path} exists; pass --overwrite to replace it, or write somewhere '
                'else'
            )
        check_writable(path)
