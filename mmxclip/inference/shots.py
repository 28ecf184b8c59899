"""Cuts between the shots of a film, found while it is read."""

from collections.abc import Callable, Iterable, Iterator

from mmxclip.datasets import Frame, upright

_SHORTEST = 0.5  # seconds of a shot


def split_shots(
    frames: Iterable[Frame], fps: float
) -> Iterator[tuple[float, Iterator[Frame]]]:
    """Split a film at its cuts, for :func:`mmxclip.inference.windows.cut_pieces`.

    Args:
        frames: The film's frames.
        fps: Frames per second, on average; 0 if unknown.

    Yields:
        The time of each shot, and its frames, which must be taken before the next one.

    Raises:
        ImportError: PySceneDetect is not installed.
    """
    is_cut = _cut_detector(fps or 25.0)
    rest = iter(frames)
    coming = next(rest, None)

    def shot(frame: Frame) -> Iterator[Frame]:
        nonlocal coming
        yield frame
        for coming in rest:
            if is_cut(coming):
                return
            yield coming
        coming = None

    if coming is not None:
        is_cut(coming)
    while coming is not None:
        yield coming.time, shot(coming)


def _cut_detector(fps: float) -> Callable[[Frame], bool]:
    try:
        from scenedetect import ContentDetector, FrameTimecode  # noqa: PLC0415
        from scenedetect.detector import FlashFilter  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            '--shots needs PySceneDetect: pip install "mmxclip[shots]"'
        ) from error
    detector = ContentDetector(
        min_scene_len=max(round(_SHORTEST * fps), 1),
        filter_mode=FlashFilter.Mode.SUPPRESS,  # the other one tells of cuts later
    )
    number = -1

    def is_cut(frame: Frame) -> bool:
        nonlocal number
        number += 1
        bgr = upright(frame.picture)[..., ::-1]
        return bool(detector.process_frame(FrameTimecode(number, fps), bgr))

    return is_cut
