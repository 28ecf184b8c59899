"""Storage that MMEngine cannot read."""

from mmxclip.datasets.readers.tar_backend import TarBackend, split_tar_path

__all__ = ['TarBackend', 'split_tar_path']
