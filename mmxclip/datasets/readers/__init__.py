"""Storage that MMEngine cannot read."""

from mmxclip.datasets.readers.tar_backend import (
    TarBackend,
    is_compressed_archive,
    split_tar_path,
)

__all__ = ['TarBackend', 'is_compressed_archive', 'split_tar_path']
