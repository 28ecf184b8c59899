"""What the packets of a video stream tell before any of them is decoded."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import av

# Codecs of which a packet gives one frame, if its bytes say that it is shown.
_IS_SHOWN: dict[str, Callable[[memoryview], int]] = {
    'h264': lambda _: 1,
    'hevc': lambda _: 1,
    'av1': lambda _: 1,
    'libdav1d': lambda _: 1,
    'vp8': lambda data: data[0] & 0b10000,
    # show_existing_frame or show_frame, or a superframe, which ends in what is shown
    'vp9': lambda data: data[0] & 0b1010 or data[-1] >> 5 == 0b110,
}
_HONEST = ('mov', 'matroska')  # containers that store presentation times of all packets
_MEASURED = (*_HONEST, 'avi', 'flv', 'asf', 'mxf')  # those that say how long they are


class Key(NamedTuple):
    """A packet from which decoding can start, in the stream's units of time."""

    time: int
    decoding_time: int


class PacketIndex(NamedTuple):
    """Frames of a stream, if their packets tell for certain.

    Attributes:
        times: Presentation times of the frames, ascending; none where it takes
            decoding to know them.
        keys: The first packet, and all others from which decoding may start.
        hidden: Packets that an edit list leaves out.
        shown: Packets that should give a frame; 0 if unknown.
        cut_off: Whether the packets, of sound too, end before the container says.
    """

    times: list[int]
    keys: list[Key]
    hidden: int
    shown: int
    cut_off: bool


def index_packets(container: Any, stream: Any) -> PacketIndex:
    """List the packets of a stream, in one pass over its file.

    The times are trusted where packets and frames correspond one to one: in containers
    that store presentation times, all of them different, for codecs without packets
    that show nothing, and in files that are whole.
    """
    kind = container.format.name
    if not kind.startswith(_MEASURED):
        return PacketIndex([], [], 0, 0, False)
    is_shown = _IS_SHOWN.get(stream.codec_context.name, lambda _: 0)
    times: list[Any] = []
    keys: list[Key] = []
    seen: set[int | None] = set()
    hidden = 0
    trusted = kind.startswith(_HONEST)
    ends: defaultdict[int, int] = defaultdict(int)  # by stream, in its units
    try:
        # Streams of mov have their own lengths; elsewhere sound may be the longer.
        for packet in container.demux(*([stream] if kind.startswith('mov') else [])):
            if not packet.size:
                continue
            time = packet.pts
            if time is not None:
                place = packet.stream_index
                ends[place] = max(ends[place], time + packet.duration)
            if packet.stream_index != stream.index:
                continue
            trusted &= time is not None and time not in seen and not packet.is_corrupt
            if packet.is_keyframe and not (packet.is_discard and seen):
                keys.append(Key(time, time if packet.dts is None else packet.dts))
            trusted &= bool(keys)
            seen.add(time)
            if packet.is_discard:
                hidden += 1
            elif is_shown(memoryview(packet)):
                times.append(time)
    except av.FFmpegError:
        trusted = False
    if kind.startswith('mov'):
        trusted &= len(seen) == len(stream.index_entries)
    end = max(ends[s.index] * (s.time_base or 0) for s in container.streams)
    cut_off = end < 0.95 * declared_seconds(container, stream)
    known = sorted(times) if trusted and keys == sorted(keys) else []
    return PacketIndex(known, keys, hidden, len(times), cut_off)


def declared_frames(container: Any, stream: Any, index: PacketIndex) -> int:
    """Frames that a video should have by its container; 0 where that does not tell."""
    if index.cut_off:
        rate = float(stream.average_rate or 0)
        return stream.frames or round(declared_seconds(container, stream) * rate)
    if container.format.name.startswith(('mov', 'avi')):
        return len(stream.index_entries) - index.hidden
    return stream.frames or index.shown


def declared_seconds(container: Any, stream: Any) -> float:
    """Length of a video by its container, maybe that of its sound; 0 if unknown."""
    if container.format.name == 'avi':  # its duration is what there is
        return float(stream.frames * stream.time_base)
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base
