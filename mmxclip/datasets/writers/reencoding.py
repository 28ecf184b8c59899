"""Videos encoded anew, frame by frame, so that training reads them faster."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mmxclip.datasets.readers.container import VideoError
from mmxclip.datasets.readers.whole_video import WholeVideo
from mmxclip.datasets.writers.video_writer import VideoWriter, turned
from mmxclip.utils.files import atomic


@dataclass(frozen=True)
class Settings:
    """How videos are encoded.

    Args:
        short_side: Pixels, at most.
        gop: Frames from one key frame to the next.
        crf: Quality of x264; less is better and bigger.
        preset: Of x264.
    """

    short_side: int = 256
    gop: int = 12
    crf: int = 20
    preset: str = 'veryfast'

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a new video: H.264 with 4:2:0 colours has even ones."""
        scale = min(self.short_side / min(width, height), 1)
        short = max(int(min(width, height) * scale) // 2 * 2, 2)
        long = max(round(max(width, height) * short / min(width, height) / 2) * 2, 2)
        return (short, long) if width <= height else (long, short)


@dataclass
class Outcome:
    """What became of a video.

    Attributes:
        frames: How many the old one has.
        written: How many the new one has.
        shortfall: Of how many frames the old one speaks, if that is more.
        error: Why there is no new video.
        psnr: Decibels between both, at the new size.
    """

    frames: int = 0
    written: int = 0
    shortfall: str | None = None
    error: str = ''
    psnr: float | None = None


class Reencoder:
    """Encode videos anew.

    Frames are those that the reader of the data sets gives, at their times, upright;
    the new file is decoded again to prove that it has as many.

    Args:
        settings: Of the output.
        psnr: Whether to compare the output with the scaled original.
    """

    def __init__(self, settings: Settings, *, psnr: bool = False) -> None:
        self.settings = settings
        self.psnr = psnr

    def __call__(self, paths: tuple[Path, Path]) -> Outcome:
        """Encode one video; the target appears when it is complete.

        Args:
            paths: Of the source and of the target.

        Raises:
            OSError: The target cannot be written.
        """
        source, target = paths
        try:
            old = WholeVideo(source)
        except (OSError, VideoError) as error:
            return Outcome(error=str(error))
        try:
            with atomic(target) as new:
                return self._encode(old, new)
        except VideoError as error:
            return Outcome(error=str(error))

    def _encode(self, old: WholeVideo, path: Path) -> Outcome:
        options = dict(crf=str(self.settings.crf), preset=self.settings.preset)
        fps = old.fps or 25
        with VideoWriter(path, fps=fps, gop=self.settings.gop, options=options) as new:
            for frame, scaled in self._scale(old):
                time = None if frame.pts is None else frame.pts * frame.time_base
                new.write(scaled, time)
        outcome = Outcome(frames=old.count, shortfall=old.shortfall())
        outcome.written, outcome.psnr = self._compare(old, path)
        if outcome.written != outcome.frames:
            raise VideoError(
                f'{old.name} has {outcome.frames} frames, the new video '
                f'{outcome.written}'
            )
        return outcome

    def _scale(self, video: WholeVideo) -> Iterator[tuple[Any, av.VideoFrame]]:
        reformatter = VideoReformatter()
        size = None
        for frame in video:
            size = size or self.settings.size(frame.width, frame.height)
            scaled = reformatter.reformat(
                frame, *size, format='yuv420p', interpolation='BICUBIC', threads=1
            )
            yield frame, turned(scaled, frame)

    def _compare(self, old: WholeVideo, path: Path) -> tuple[int, float | None]:
        """Count the frames of the new file, and measure what they have lost."""
        new = WholeVideo(path)
        if not self.psnr:
            return sum(1 for _ in new), None
        errors = [
            np.square(a.to_ndarray().astype(np.float32) - b.to_ndarray()).mean()
            for a, (_, b) in zip(new, self._scale(old), strict=True)
        ]
        return new.count, float(10 * np.log10(255**2 / max(np.mean(errors), 1e-6)))
