"""Windows of films as the samples that a model takes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from mmaction.datasets.transforms import Resize
from mmaction.utils import ConfigType
from mmengine.dataset import Compose

from mmxclip.datasets import upright
from mmxclip.inference.serving import steps_of_opened
from mmxclip.inference.windows import Shrink, Window

Place: TypeAlias = tuple[int, float, float]  # number, start, end
Batch: TypeAlias = tuple[list[Place], list[dict[str, Any]]]  # samples, not collated


class WindowPipeline:
    """A config's test pipeline from behind the step that opens a video.

    Args:
        cfg: The config, such as ``inferencer.cfg``.

    Attributes:
        shrink: Makes a frame as large as the pipeline does first of all, which then
            changes nothing in it any more; None where it does something else first.
    """

    def __init__(self, cfg: ConfigType) -> None:
        self._steps = Compose(steps_of_opened(cfg, 'VideoDecode'))
        self.shrink = _first_resize(self._steps.transforms)

    def __call__(self, window: Window) -> dict[str, Any]:
        """Prepare a window; return ``inputs`` and ``data_samples``, not collated."""
        return self._steps(
            dict(
                filename=window.name,
                label=-1,
                start_index=0,
                modality='RGB',
                video_reader=window,
                total_frames=len(window),
                avg_fps=window.fps,
            )
        )

    def batches(self, windows: Iterable[Window], size: int) -> Iterator[Batch]:
        """Prepare windows, some at once; their frames are let go at once.

        Args:
            windows: They may come one by one.
            size: How many at once.

        Yields:
            Number, start and end of each, and what :meth:`__call__` makes of it.
        """
        places, samples = [], []
        for window in windows:
            places.append((window.number, window.start, window.end))
            samples.append(self(window))
            if len(places) == size:
                yield places, samples
                places, samples = [], []
        if places:
            yield places, samples


def _first_resize(steps: Sequence[Any]) -> Shrink | None:
    """Return the step behind the decoder, if to do it twice is to do it once."""
    kinds = [type(step).__name__ for step in steps]
    resize = steps[kinds.index('VideoDecode') + 1]
    if (
        not isinstance(resize, Resize)
        or resize.lazy
        or not (resize.keep_ratio and isinstance(resize.scale, tuple))
    ):
        return None

    def shrink(picture: Any) -> np.ndarray:
        frame = upright(picture)
        return resize(dict(imgs=[frame], img_shape=frame.shape[:2]))['imgs'][0]

    return shrink
