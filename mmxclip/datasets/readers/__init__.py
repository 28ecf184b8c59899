"""Video files and the storage they lie in, as far as the host cannot read them."""

from mmxclip.datasets.readers.container import VideoError
from mmxclip.datasets.readers.download import download
from mmxclip.datasets.readers.film import Film, Frame
from mmxclip.datasets.readers.other_decoders import DecordReader, TorchCodecReader
from mmxclip.datasets.readers.tar_backend import (
    TarBackend,
    is_compressed_archive,
    split_tar_path,
)
from mmxclip.datasets.readers.upright import upright
from mmxclip.datasets.readers.video_reader import VideoReader

__all__ = [
    'DecordReader',
    'Film',
    'Frame',
    'TarBackend',
    'TorchCodecReader',
    'VideoError',
    'VideoReader',
    'download',
    'is_compressed_archive',
    'split_tar_path',
    'upright',
]
