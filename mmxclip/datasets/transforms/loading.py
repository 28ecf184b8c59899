"""Opening and decoding videos so that a bad file neither stops a run nor hides."""

import logging
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from mmaction.datasets.transforms import DecordDecode, DecordInit
from mmaction.registry import TRANSFORMS
from mmengine.fileio import BaseStorageBackend, get_file_backend
from mmengine.logging import print_log

from mmxclip.datasets.readers import is_compressed_archive, split_tar_path
from mmxclip.datasets.transforms.engines import PyAVReader, TorchCodecReader

# Decoders raise the first where they cannot open a file, decord also the second where
# it cannot find or decode a video stream.
DECODE_ERRORS: tuple[type[Exception], ...] = (RuntimeError,)
try:
    from decord._ffi.base import DECORDError
except ImportError:  # there is no wheel for some platforms
    pass
else:
    DECODE_ERRORS += (DECORDError,)
_READ_ERRORS = (OSError, HTTPException)  # the second for broken answers and addresses
_BLANK_SHAPE = (256, 256, 3)


def give_up(results: dict, error: Exception | str, test_mode: bool) -> dict | None:
    """Report an undecodable video and say what becomes of it.

    Returns:
        Training: None, for which the data set fetches another video. Testing:
        ``results`` with ``undecodable=True``.

    Raises:
        RuntimeError: With ``strict`` in ``results``, as where one video is asked for.
    """
    reason = ' '.join(str(error).split())[-200:]
    if results.get('strict'):
        raise RuntimeError(reason)
    fate = (
        'blank frames stand in for it, and VideoAccMetric counts it as wrong'
        if test_mode
        else 'another video takes its place'
    )
    print_log(
        f'Cannot decode {results["filename"]}: {fate}. ({reason})',
        logger='current',
        level=logging.WARNING,
    )
    if not test_mode:
        return None
    return results | dict(undecodable=True, video_reader=None, total_frames=1)


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
        return FileNotFoundError(
            f'{video} does not exist; correct the list or the data prefix ({error})'
        )
    return OSError(f'{video} cannot be read ({error})')


@TRANSFORMS.register_module()
class SafeDecordInit(DecordInit):
    """``DecordInit`` that survives undecodable videos.

    A file that decord cannot open, or that has no frames, is logged with its path.
    In training the transform then returns None and the data set fetches another
    video; in testing the video goes on with ``undecodable=True``, so that it is
    still counted: ``VideoListDataset`` lets the packed sample tell, with other data
    sets ``meta_keys`` of the packing must name it. A file that is missing or cannot be
    read is an error in both.

    Required Keys:

    - filename
    - ann_file (optional): named when the file is missing or cannot be read

    Added Keys:

    - video_reader
    - total_frames
    - avg_fps
    - undecodable

    Args:
        io_backend: A storage backend of MMEngine by name (``'disk'``, ``'lmdb'``,
            ``'petrel'``, ...), ``'tar'`` for members of tar archives, or ``'auto'``:
            by the path, 'videos.tar/a.mp4' or 'http://...' or a plain file.
        num_threads: Threads that decode one video.
        test_mode: Whether an undecodable video is kept and flagged.
        **kwargs: Arguments of the named storage backend; ``'auto'`` gives them to
            that of tar archives.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: decord is not installed.
        OSError: It cannot be read.
    """

    def __init__(
        self,
        io_backend: str = 'auto',
        num_threads: int = 1,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(io_backend, num_threads, **kwargs)
        self.test_mode = test_mode
        self.file_client: BaseStorageBackend | None = None

    def transform(self, results: dict) -> dict | None:
        """Open the video."""
        # The parent would make a FileClient, which MMEngine warns about.
        self.file_client = self._storage_of(results['filename'])
        results['undecodable'] = False
        try:
            opened = super().transform(results)
        except _READ_ERRORS as error:
            raise _unreadable(results, error) from error
        except DECODE_ERRORS as error:
            return give_up(results, error, self.test_mode)
        if opened['total_frames'] < 1:
            return give_up(results, 'no frames', self.test_mode)
        return opened

    def _get_video_reader(self, filename: str) -> object:
        try:
            return super()._get_video_reader(filename)
        except ImportError as error:
            raise ImportError(
                'SafeDecordInit needs decord: pip install decord. Where that has no '
                'wheel (macOS, ARM), pip install av and put SafePyAVInit in its place'
            ) from error

    def _storage_of(self, filename: str) -> BaseStorageBackend:
        name = self.io_backend
        if name == 'auto':
            if split_tar_path(filename) is None:
                return get_file_backend(filename, enable_singleton=True)
            name = 'tar'
        args = dict(backend='local' if name == 'disk' else name, **self.kwargs)
        return get_file_backend(backend_args=args, enable_singleton=True)


@TRANSFORMS.register_module()
class SafePyAVInit(SafeDecordInit):
    """``SafeDecordInit`` that reads with PyAV, where decord has no wheel.

    PyAV comes with the extra ``av`` of this package. ``SafeDecordDecode`` decodes what
    it opens.

    Args: as for :class:`SafeDecordInit`.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: PyAV is not installed.
    """

    def _get_video_reader(self, filename: str) -> object:
        return PyAVReader(self._storage_of(filename).get(filename), self.num_threads)


@TRANSFORMS.register_module()
class SafeTorchCodecInit(SafeDecordInit):
    """``SafeDecordInit`` that reads with TorchCodec, which needs a system's FFmpeg.

    ``SafeDecordDecode`` decodes what it opens.

    Args: as for :class:`SafeDecordInit`.

    Raises:
        FileNotFoundError: The file does not exist.
        ImportError: TorchCodec or FFmpeg is not installed.
    """

    def _get_video_reader(self, filename: str) -> object:
        return TorchCodecReader(
            self._storage_of(filename).get(filename), self.num_threads
        )


@TRANSFORMS.register_module()
class SafeDecordDecode(DecordDecode):
    """``DecordDecode`` that survives undecodable videos and reads forwards only.

    It takes what any of ``SafeDecordInit``, ``SafePyAVInit``, ``SafeTorchCodecInit``
    opens.

    What becomes of an undecodable video is said at :class:`SafeDecordInit`. Frames
    are decoded in ascending order, each once, and then put in the asked order:
    several views of one video would otherwise send the decoder back again and again.

    Required Keys:

    - video_reader
    - frame_inds
    - filename
    - undecodable (optional)

    Added Keys:

    - imgs
    - original_shape
    - img_shape

    Args:
        test_mode: Whether an undecodable video is kept, with black frames.
    """

    def __init__(self, test_mode: bool = False) -> None:
        super().__init__()
        self.test_mode = test_mode

    def transform(self, results: dict) -> dict | None:
        """Decode the chosen frames."""
        if not results.get('undecodable'):
            try:
                return super().transform(results)
            except DECODE_ERRORS as error:
                flagged = give_up(results, error, self.test_mode)
                if flagged is None:
                    return None
                results = flagged
        num_frames = results['frame_inds'].size
        results['imgs'] = list(np.zeros((num_frames, *_BLANK_SHAPE), np.uint8))
        results['original_shape'] = results['img_shape'] = _BLANK_SHAPE[:2]
        return results

    def _decord_load_frames(
        self, container: object, frame_inds: np.ndarray
    ) -> list[np.ndarray]:
        unique, places = np.unique(frame_inds, return_inverse=True)
        frames = super()._decord_load_frames(container, unique)
        if len(unique) == len(places):
            return [frames[i] for i in places]
        # Copies of repeated frames, because Flip writes into them.
        return [frames[i].copy() for i in places]
