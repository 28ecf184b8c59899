"""A folder on a file system or in an object store, by MMEngine's backends."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, get_file_backend

from mmxclip.engine.whole_files_backend import WholeFilesBackend
from mmxclip.utils.files import sweep


class Storage:
    """Files below a folder, which appear whole or not at all.

    Args:
        root: The folder: a path, or an address that a backend of MMEngine is registered
            for (``s3://``, ``petrel://``, ...).

    Attributes:
        root: The folder.
        is_local: Whether it is on a file system.

    Raises:
        OSError: Nothing reads such addresses.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        try:
            backend = get_file_backend(root, enable_singleton=True)
        except (KeyError, ImportError) as error:
            raise OSError(f'nothing here reads such addresses: {error}') from error
        self.is_local = isinstance(backend, LocalBackend)
        if self.is_local:
            self.root = os.path.abspath(root)
        # Any: backends differ in what they can do beside reading
        self._backend = WholeFilesBackend() if self.is_local else backend
        if not hasattr(self._backend, 'list_dir_or_file'):
            raise OSError(
                f'{root} cannot be listed: {self._backend.name} reads single files; '
                'give a folder, or the address of an object store'
            )

    def path(self, name: str) -> str:
        """Return the path or address of a file."""
        return str(self._backend.join_path(self.root, name)) if name else self.root

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._backend.isfile(self.path(name))

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return self._backend.get(self.path(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a file; folders are made, a file that is there is replaced.

        Raises:
            OSError: It cannot be written.
        """
        try:
            self._backend.put(data, self.path(name))
        except (
            FileExistsError,
            FileNotFoundError,
            NotADirectoryError,
            PermissionError,
        ) as error:
            raise type(error)(
                f'{self.path(name)} cannot be written ({error.strerror or error}); '
                f'choose another place than {self.root}, or change its rights'
            ) from error

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._backend.remove(self.path(name))

    def names(self, folder: str = '', *, recursive: bool = False) -> list[str]:
        """Return the files in a folder by their paths in it, sorted; none without it.

        Args:
            folder: Its path below the root.
            recursive: Whether to look into folders in it, too.
        """
        try:
            found = self._backend.list_dir_or_file(
                self.path(folder), list_dir=False, recursive=recursive
            )
            return sorted(str(name) for name in found)
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """Give the path of a file, or of a copy of it that goes at the end."""
        if self.is_local:
            yield Path(self.path(name))
        else:
            with tempfile.NamedTemporaryFile() as copy:
                copy.write(self.read(name))
                copy.flush()
                yield Path(copy.name)

    def tidy(self, folder: str) -> None:
        """Remove what writers left in a folder that were killed."""
        if self.is_local:
            for left in Path(self.path(folder)).glob('.*.0.part'):
                sweep(left.with_name(left.name[1 : -len('.0.part')]))
