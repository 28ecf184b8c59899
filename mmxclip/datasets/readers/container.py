"""Opening files of any origin with FFmpeg: video files, and nothing else."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av

# They read other files, ask the network, or paint text.
_NO_VIDEOS = {
    *('sdp', 'rtsp', 'rtp', 'sap', 'hls', 'dash', 'webm_dash_manifest', 'concat'),
    *('image2', 'image2pipe', 'lavfi', 'tty', 'bin', 'xbin', 'adf', 'idf'),
}
_OPTIONS = dict(
    protocol_whitelist='file',
    format_whitelist=','.join(sorted(av.formats_available - _NO_VIDEOS)),
)
_MAX_PIXELS = 2**27  # of a frame: 16k video has as many
# What a damaged or hostile file makes of PyAV.
_FAULTS = (av.FFmpegError, AttributeError, TypeError, ValueError, MemoryError)


class VideoError(RuntimeError):
    """A file that is no video, or whose frames cannot be decoded; names the file."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn what PyAV raises into a :class:`VideoError` that names the file."""
    try:
        yield
    except VideoError:
        raise
    except _FAULTS as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise VideoError(f'{name} cannot be decoded: {reason}') from error


def open_video(
    source: str | os.PathLike | BinaryIO, name: str, num_threads: int
) -> tuple[Any, Any]:
    """Open a file from its start.

    Args:
        source: Path of the file, or a binary file object that can seek.
        name: What errors call the file.
        num_threads: Threads of the decoder.

    Returns:
        PyAV's container, and the video stream that FFmpeg calls the best; never a
        cover picture.

    Raises:
        OSError: The file cannot be read.
        VideoError: It has no video stream, or none that can be decoded.
    """
    with naming(name):
        if isinstance(source, (str, os.PathLike)):
            _check_file(source)
            opened: Any = f'file:{os.fspath(source)}'
        else:
            source.seek(0)
            opened = source
        container: Any = av.open(opened, metadata_errors='ignore', options=_OPTIONS)
        best = container.streams.best('video')
        films = [s for s in container.streams.video if not _is_cover(s)]
        if not films:
            raise VideoError(f'{name} has no video stream')
        stream = best if best in films else films[0]
        decoder = stream.codec_context
        if decoder is None:
            raise VideoError(f'{name} cannot be decoded: FFmpeg has no such decoder')
        decoder.options = dict(max_pixels=str(_MAX_PIXELS))
        decoder.thread_count = num_threads
        if num_threads > 1:
            decoder.thread_type = 'AUTO'  # also several frames at once
        return container, stream


def _check_file(path: str | os.PathLike) -> None:
    """Raise what Python says of a file that cannot be read; pipes would never end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise IsADirectoryError(f'{os.fspath(path)} is no regular file')
    with open(path, 'rb'):
        pass


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
