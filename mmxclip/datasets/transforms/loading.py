"""Opening and decoding videos so that a bad file neither stops a run nor hides."""

import logging
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from mmaction.datasets.transforms import DecordDecode
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.fileio import (
    BaseStorageBackend,
    HTTPBackend,
    LocalBackend,
    get_file_backend,
)
from mmengine.logging import print_log

from mmxclip.datasets.readers import (
    DecordReader,
    Film,
    TorchCodecReader,
    VideoError,
    VideoReader,
    download,
    is_compressed_archive,
    split_tar_path,
)

_READ_ERRORS = (OSError, HTTPException)  # the second for broken answers and addresses
_BLANK_SHAPE = (256, 256, 3)
_REPORTED: set[str] = set()  # shortfalls, each once a process


def _without_frames(results: dict, error: VideoError) -> dict:
    """Go on without a video, if whoever asks for it will know.

    Returns:
        ``results`` with ``undecodable=True``.

    Raises:
        VideoError: ``results`` has no ``keep_undecodable``.
    """
    if not results.get('keep_undecodable'):
        raise error
    print_log(
        f'{error}. Blank frames stand in for it; VideoAccMetric counts it as wrong',
        logger='current',
        level=logging.WARNING,
    )
    return results | dict(
        undecodable=True, video_reader=None, total_frames=1, avg_fps=0.0
    )


def _unreadable(results: dict, error: Exception) -> OSError:
    """Return an error that names the video and its list."""
    listed = results.get('ann_file')
    video = results['filename'] + (f', which {listed} lists,' if listed else '')
    packed = next(
        filter(is_compressed_archive, Path(results['filename']).parents), None
    )
    if packed is not None:
        return OSError(
            f'{video} cannot be read: {packed} is compressed. Unpack it, or pack the '
            'videos into an uncompressed .tar'
        )
    # A server says 404 where a file system says that there is no such file.
    if isinstance(error, FileNotFoundError) or getattr(error, 'code', None) == 404:
        cure = '; correct the list or the data prefix' if listed else ''
        return FileNotFoundError(f'{video} does not exist{cure} ({error})')
    return OSError(f'{video} cannot be read ({error})')


@TRANSFORMS.register_module(name=['VideoInit', 'SafePyAVInit'])
class VideoInit(BaseTransform):
    """Open a video with :class:`VideoReader`, whose frames are right or refused.

    A video that cannot be decoded is an error that names it, unless the data set asks
    for it to be kept, as ``VideoListDataset`` does in testing: then it goes on with
    ``undecodable=True``. One of which less can be decoded than its container says is
    logged, once, and used. A file that is missing or cannot be read is always an error.

    Required Keys:

    - filename
    - ann_file (optional): named when the file is missing or cannot be read
    - keep_undecodable (optional)

    Added Keys:

    - video_reader
    - total_frames
    - avg_fps
    - undecodable

    Args:
        io_backend: A storage backend of MMEngine by name (``'disk'``, ``'lmdb'``,
            ``'petrel'``, ...), ``'tar'`` for members of tar archives, or ``'auto'``:
            by the path, 'videos.tar/a.mp4' or 'http://...' or a plain file.
        num_threads: Threads that decode one video. Two help where one video is read at
            a time; in several data loader workers one is best.
        test_mode: Has no effect; configs that trainings stored have it.
        **kwargs: Arguments of the named storage backend; ``'auto'`` gives them to
            that of tar archives.

    Raises:
        FileNotFoundError: The file does not exist.
        OSError: It cannot be read.
        VideoError: It cannot be decoded.
    """

    def __init__(
        self,
        io_backend: str = 'auto',
        num_threads: int = 1,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        self.io_backend = io_backend
        self.num_threads = num_threads
        self.kwargs = kwargs

    def transform(self, results: dict) -> dict:
        """Open the video."""
        try:
            reader = self._open(results['filename'])
        except VideoError as error:
            return _without_frames(results, error)
        except _READ_ERRORS as error:
            raise _unreadable(results, error) from error
        if reader.shortfall and reader.shortfall not in _REPORTED:
            _REPORTED.add(reader.shortfall)
            print_log(reader.shortfall, logger='current', level=logging.WARNING)
        return results | dict(
            video_reader=reader,
            total_frames=len(reader),
            avg_fps=reader.fps,
            undecodable=False,
        )

    def source(self, filename: str) -> str | BinaryIO:
        """Return what to read a video from: its path, or a file without one."""
        storage = self._storage_of(filename)
        if isinstance(storage, LocalBackend):
            return filename
        if hasattr(storage, 'open'):  # of an archive, without a copy
            return storage.open(filename)
        if isinstance(storage, HTTPBackend):  # whose get() holds all in memory
            return download(filename)
        return BytesIO(storage.get(filename))

    def film(self, filename: str) -> Film:
        """Open a video that is only read forward; errors are those of the step."""
        try:
            source = self.source(filename)
            return Film(source, num_threads=self.num_threads, name=filename)
        except _READ_ERRORS as error:
            raise _unreadable(dict(filename=filename), error) from error

    def _open(self, filename: str) -> Any:
        source = self.source(filename)
        return VideoReader(source, num_threads=self.num_threads, name=filename)

    def _storage_of(self, filename: str) -> BaseStorageBackend:
        name = self.io_backend
        if name == 'auto':
            if split_tar_path(filename) is None:
                try:
                    return get_file_backend(filename, enable_singleton=True)
                except (KeyError, ImportError) as error:
                    raise OSError(
                        f'nothing here reads such addresses: {error}'
                    ) from error
            name = 'tar'
        args = dict(backend='local' if name == 'disk' else name, **self.kwargs)
        return get_file_backend(backend_args=args, enable_singleton=True)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(io_backend={self.io_backend}, '
            f'num_threads={self.num_threads})'
        )


@TRANSFORMS.register_module()
class SafeDecordInit(VideoInit):
    """``VideoInit`` with decord, which reads many files wrongly.

    It counts and numbers frames otherwise in files that were cut without encoding, in
    .avi, .mpg, .vob, .wmv and .ts, and hangs on or dies of some damaged ones; see
    docs/explanation/reading_videos.md. The whole file is copied into memory.

    Args: as for :class:`VideoInit`.

    Raises:
        ImportError: decord is not installed.
    """

    def _open(self, filename: str) -> Any:
        data = self._storage_of(filename).get(filename)
        return DecordReader(data, filename, self.num_threads)


@TRANSFORMS.register_module()
class SafeTorchCodecInit(VideoInit):
    """``VideoInit`` with TorchCodec, which needs a system's FFmpeg.

    The whole file is copied into memory. Limits: docs/explanation/reading_videos.md.

    Args: as for :class:`VideoInit`.

    Raises:
        ImportError: TorchCodec or FFmpeg is not installed.
    """

    def _open(self, filename: str) -> Any:
        data = self._storage_of(filename).get(filename)
        return TorchCodecReader(data, filename, self.num_threads)


@TRANSFORMS.register_module(name=['VideoDecode', 'SafeDecordDecode'])
class VideoDecode(DecordDecode):
    """Decode the chosen frames of what ``VideoInit`` or a child of it has opened.

    Frames are decoded in ascending order, each once, and then put in the asked order.
    What becomes of an undecodable video is said at :class:`VideoInit`.

    Required Keys:

    - video_reader
    - frame_inds
    - filename
    - undecodable (optional)
    - keep_undecodable (optional)

    Added Keys:

    - imgs
    - original_shape
    - img_shape

    Args:
        test_mode: Has no effect; configs that trainings stored have it.

    Raises:
        VideoError: A frame cannot be decoded.
    """

    def __init__(self, test_mode: bool = False) -> None:
        super().__init__()

    def transform(self, results: dict) -> dict:
        """Decode the chosen frames."""
        if not results.get('undecodable'):
            try:
                return super().transform(results)
            except VideoError as error:
                results = _without_frames(results, error)
        num_frames = results['frame_inds'].size
        results['imgs'] = list(np.zeros((num_frames, *_BLANK_SHAPE), np.uint8))
        results['original_shape'] = results['img_shape'] = _BLANK_SHAPE[:2]
        return results

    def _decord_load_frames(
        self, container: Any, frame_inds: np.ndarray
    ) -> list[np.ndarray]:
        unique, places = np.unique(frame_inds, return_inverse=True)
        frames = container.get_batch(unique)
        if len(unique) == len(places):
            return [frames[i] for i in places]
        # Copies of repeated frames, because Flip writes into them.
        return [frames[i].copy() for i in places]
