"""Storage of local files that are there whole or not at all."""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mmxclip.utils.files import atomic


@register_backend('whole_files')
class WholeFilesBackend(LocalBackend):
    """MMEngine's backend of local files, which writes beside and renames.

    ``CheckpointHook`` with ``backend_args=dict(backend='whole_files')`` writes
    checkpoints that neither a kill nor a full disk cuts.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file.

        Args:
            obj: Its content.
            filepath: Its path; folders are made.
        """
        with atomic(filepath) as new:
            new.write_bytes(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a file of text; arguments as for ``put``."""
        self.put(obj.encode(encoding), filepath)
