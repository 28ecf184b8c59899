"""Live video from a camera, an address or a pipe, connected again where it breaks."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import av

from mmxclip.datasets import Frame

# They neither read files nor listen to the playlists of strangers.
_PROTOCOLS = 'tcp,udp,rtp,rtsp,rtmp,http,https,httpproxy,tls,srt,crypto,pipe,fd'
_OPTIONS = dict(
    fpsprobesize='0',
    rtsp_transport='tcp',
    analyzeduration='1000000',
    protocol_whitelist=_PROTOCOLS,
)
_FAULTS = (av.FFmpegError, OSError, ValueError)
_PAUSE = 0.5  # seconds between two attempts


class StreamError(RuntimeError):
    """A source that sends nothing, or is none; names it."""


class Stream:
    """A live source.

    Args:
        source: Number of a camera, an address (``rtsp://``, ``tcp://``, ``udp://``,
            ``http://``, ...), the path of a named pipe, or ``-`` for standard input.
        stall: Seconds without data after which it is connected anew.
        patience: Seconds without a frame after which it is given up.
        tell: Is called with ``connected``, or ``lost`` and a reason.

    Attributes:
        began: Time of the first frame, as :func:`time.time` gives it.

    Raises:
        StreamError: The source is none, or a camera that does not exist.
    """

    def __init__(
        self,
        source: str,
        *,
        stall: float = 5.0,
        patience: float = 60.0,
        tell: Callable[[str, str], None] = lambda event, reason: None,
    ) -> None:
        self.source = source
        self.began = 0.0
        self._patience = patience
        self._tell = tell
        self._open: dict[str, Any] = dict(options=_OPTIONS, timeout=(stall, stall))
        self._address = source
        if source.isdecimal():
            self._address = f'/dev/video{source}'
            self._open = dict(format='v4l2')
            if not os.path.exists(self._address):
                raise StreamError(f'there is no camera {source} ({self._address})')
        elif source == '-':
            self._address = 'pipe:0'
        elif '://' not in source and not _is_pipe(source):
            raise StreamError(
                f'{source} is no live source: give the number of a camera, an address '
                'such as rtsp://..., or - for standard input; for a file leave out '
                '--live'
            )

    def pieces(self) -> Iterator[tuple[float, Iterator[Frame]]]:
        """Yield what each connection brings: its start, and its frames.

        Times are seconds since the first frame of all. They are the sender's, counted
        from when the connection was opened, but never later than now, as servers send
        at once what they have kept since a key frame.

        Raises:
            StreamError: There was no frame for longer than ``patience``.
        """
        self._seen = time.monotonic()
        told = ''
        while time.monotonic() - self._seen < self._patience:
            self._reason = 'it has ended'
            began = time.time()
            with self._noting_faults(), av.open(self._address, **self._open) as source:
                frames = self._frames(source, began)
                first = next(frames, None)
                if first is not None:
                    self._tell('connected', '')
                    told = ''
                    yield first.time, chain([first], frames)
            if self._reason != told:
                self._tell('lost', self._reason)
                told = self._reason
            if self.source == '-':
                return
            time.sleep(_PAUSE)
        raise StreamError(
            f'{self.source} has sent nothing for {self._patience:g} s '
            f'({self._reason}); start its sender, or correct the address'
        )

    def _frames(self, container: Any, began: float) -> Iterator[Frame]:
        """Decode until the connection breaks; what cannot be decoded is left out."""
        stream = container.streams.best('video')
        if stream is None:
            self._reason = 'it has no video'
            return
        zero, last = None, 0.0
        with self._noting_faults():
            for packet in container.demux(stream):
                for picture in _decode(packet):
                    self._seen = time.monotonic()
                    sent = now = time.time()
                    if self.source == '-':  # others wait for us, it may be waited for
                        began = now if zero is None else began
                    self.began = self.began or began
                    if picture.pts is not None:
                        zero = picture.pts if zero is None else zero
                        sent = began + float((picture.pts - zero) * picture.time_base)
                    if self.source != '-':  # which may be faster than life
                        sent = min(sent, now)
                    last = max(sent - self.began, last)
                    yield Frame(round(last, 6), picture)

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        try:
            yield
        except _FAULTS as error:
            self._reason = getattr(error, 'strerror', None) or str(error)


def _decode(packet: Any) -> list[Any]:
    try:
        return packet.decode()
    except av.InvalidDataError:  # its key frame was sent before we came
        return []


def _is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
