"""Two ways to a frame: all from the start on, or from the last key frame before it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import av

from mmxclip.datasets.readers.packet_index import PacketIndex


class ContradictionError(Exception):
    """What is decoded is not what the packets promised."""


class SequentialFrames:
    """Frames in the order of decoding, up to the first error.

    Args:
        open_again: Opens the file from its start; returns container and stream.

    Attributes:
        error: What ended decoding before the end of the file.
    """

    def __init__(self, open_again: Callable[[], tuple[Any, Any]]) -> None:
        self._open = open_again
        self._frames: Iterator[Any] = iter(())
        self._next = -1  # number of the frame that comes next; nothing is open yet
        self.error = ''

    def __iter__(self) -> Iterator[Any]:
        """Decode from the start."""
        container, stream = self._open()
        packets = container.demux(stream)
        started = False
        while True:
            try:
                for packet in packets:
                    for frame in packet.decode():
                        started = True
                        yield frame
            except av.FFmpegError as error:
                self.error = error.strerror or str(error)
                if not started:  # cut in the middle: nothing to decode from yet
                    continue
            return

    def __getitem__(self, number: int) -> Any:
        """Decode one frame; ascending numbers go on where the last one ended."""
        if not 0 <= self._next <= number:
            self._frames, self._next = iter(self), 0
        for frame in self._frames:
            self._next += 1
            if self._next > number:
                return frame
        self._next = -1
        raise IndexError(number)


class IndexedFrames:
    """Frames by their times, decoded from the last key frame before them.

    The proof of a seek: its first packet is the key frame's, the first picture from
    there on has that packet's time and is a key frame to the decoder, too; from there
    on pictures come as the index says, up to the wanted one.

    Args:
        container: PyAV's container.
        stream: Its video stream.
        index: Of its packets, with times.

    Raises:
        ContradictionError: The first frame is not that of the index.
    """

    def __init__(self, container: Any, stream: Any, index: PacketIndex) -> None:
        self._container, self._stream = container, stream
        self._decoder = stream.codec_context
        # Its pictures that no other one refers to need not be decoded. Not so sure in
        # other codecs: HEVC's sublayers may refer to what the decoder calls so.
        self._may_skip = self._decoder.name == 'h264'
        self._keys = index.keys
        self.times = index.times
        self._numbers = {time: number for number, time in enumerate(self.times)}
        self._frames: Iterator[Any] = iter(())
        self._target = self.times[0]
        self._start(0)
        first = self._next()
        # Fields may come in packets of their own, two for a frame.
        if first is None or self._seen > 0 or first.interlaced_frame:
            raise ContradictionError

    def __getitem__(self, number: int) -> Any:
        """Decode one frame; ascending numbers go on where that is shortest.

        Raises:
            ContradictionError: It does not come, neither from the last key frame
                before it nor from the one before that.
        """
        self._target = self.times[number]
        last = bisect_right(self._keys, self._target, key=lambda key: key.time) - 1
        if self._seen < number and last <= self._fed_key:
            frame = self._advance(number)
            if frame:
                return frame
        for key in (max(last, 0), last - 1):
            if key >= 0:
                self._start(key)
                frame = self._advance(number)
                if frame:
                    return frame
        raise ContradictionError

    def _start(self, key: int) -> None:
        self._seen = -1
        self._fed_key = key
        self._frames = self._decode_from(key)

    def _advance(self, number: int) -> Any | None:
        """A frame by its number, if all that comes until then is in order."""
        while frame := self._next():
            if self._seen >= number:
                return frame if self._seen == number else None
        return None

    def _next(self) -> Any | None:
        """The frame that comes next, if there is one and it is in order."""
        try:
            frame = next(self._frames, None)
        except av.FFmpegError:
            return None
        if frame is None or frame.is_corrupt:
            return None
        number = self._numbers.get(frame.pts, -1)
        follows = number == self._seen + 1 or self._seen < 0
        if number <= self._seen or not (follows or self._may_skip):
            return None
        self._seen = number
        return frame

    def _decode_from(self, key: int) -> Iterator[Any]:
        start = self._keys[key]
        self._container.seek(start.decoding_time, stream=self._stream)
        proven = key == 0  # there decoding starts in any case
        for packet in self._packets_from(start):
            unneeded = packet.size and packet.pts < self._target and self._may_skip
            self._decoder.skip_frame = 'NONREF' if unneeded else 'DEFAULT'
            for frame in packet.decode():
                if not proven:
                    if frame.pts < start.time:  # a leading picture: lacks references
                        continue
                    if frame.pts != start.time or not frame.key_frame:
                        return
                    proven = True
                yield frame

    def _packets_from(self, start: Any) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        for packet in packets:
            if packet.pts == start.time:
                yield packet
                break
            if packet.dts is not None and packet.dts > start.decoding_time:
                return  # the seek went too far
        for packet in packets:
            following = self._fed_key + 1
            if following < len(self._keys) and packet.pts == self._keys[following].time:
                self._fed_key = following
            yield packet
