"""Open a video as a pipeline does, and hold it against decoding all of it."""

import logging
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmxclip.datasets.readers.container import VideoError
from mmxclip.datasets.readers.upright import orient
from mmxclip.datasets.readers.whole_video import WholeVideo
from mmxclip.datasets.transforms.loading import VideoInit

_SIDE = 32  # pixels of the small pictures that tell frames apart


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a video.

    Args:
        kind: What many videos may have in common.
        detail: What is so with this one.
        fatal: False where the video can be used.
    """

    kind: str
    detail: str = ''
    fatal: bool = True


class VideoChecker:
    """Tell why a video cannot be used, with the transforms of a config's pipeline.

    So storage backends and archives are read as in training. The video is decoded
    from its first to its last frame, too: the pipeline must count as many, and its
    first, middle and last frame be the same.

    Args:
        pipeline: Configs of the transforms; the first ``*Init`` and the first
            ``*Decode`` are used.

    Raises:
        ValueError: The pipeline has no such transforms, e.g. because it reads
            pictures instead of videos; on a call: they do not work together.
        ImportError: On a call, where their decoder is not installed.
    """

    def __init__(self, pipeline: list[dict]) -> None:
        self.steps = []
        for ending in ('Init', 'Decode'):
            steps = [dict(s) for s in pipeline if s['type'].endswith(ending)]
            if not steps:
                raise ValueError(
                    f'the pipeline has no transform *{ending}, so its videos cannot '
                    'be checked (--no-decode leaves that out)'
                )
            self.steps.append(steps[0])
        self._transforms: list | None = None

    def __call__(self, path: str) -> Verdict | None:
        """Return None for a good video, else what is wrong with it."""
        try:
            return self._compare(path)
        except FileNotFoundError:
            return Verdict('missing')
        except OSError as error:
            return Verdict('cannot be read', str(error))
        except ImportError:  # would otherwise condemn every video
            raise
        except (AttributeError, TypeError) as error:  # no fault of a file either
            names = ', '.join(step['type'] for step in self.steps)
            raise ValueError(
                f'the pipeline ({names}) cannot read {path}: '
                f'{type(error).__name__}: {error}'
            ) from error
        except Exception as error:  # whatever a decoder makes of a broken file
            reason = str(error).removeprefix(path).strip(' :')
            return Verdict('cannot be decoded', reason.splitlines()[0])

    def _compare(self, path: str) -> Verdict | None:
        opener, decoder, storage = self._build()
        results = opener(dict(filename=path, start_index=0, modality='RGB'))
        total = results['total_frames']
        if total < 1:
            raise VideoError('no frames')
        numbers = [0, total // 2, total - 1]
        results['frame_inds'] = np.array(numbers)
        given = [_small(frame) for frame in decoder(results)['imgs']]
        video = WholeVideo(storage.source(path), name=path)
        true = [_small_upright(frame) for frame in video]
        if total != len(true):
            return Verdict(
                'the pipeline counts other frames than there are',
                f'{total} counted, {len(true)} decoded',
            )
        for number, picture in zip(numbers, given, strict=True):
            distances = np.abs(np.stack(true) - picture).mean(axis=(1, 2))
            best = int(distances.argmin())
            # Decoders differ a little in colours, and frames may be alike.
            if distances[number] > 2 * distances[best] + 1:
                return Verdict(
                    'the pipeline gives other frames than asked for',
                    f'{best} in place of {number}',
                )
        shortfall = video.shortfall()
        return Verdict('cut off', shortfall, fatal=False) if shortfall else None

    def _build(self) -> list:
        if self._transforms is None:  # once in each process
            init_default_scope('mmaction')
            # The report says all; a line per video would break the progress bar.
            MMLogger.get_current_instance().setLevel(logging.ERROR)
            self._transforms = [TRANSFORMS.build(step) for step in self.steps]
            storage = dict(self.steps[0], type=VideoInit)
            self._transforms.append(TRANSFORMS.build(storage))
        return self._transforms


def _small(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(float)


def _small_upright(frame: Any) -> np.ndarray:
    small = frame.reformat(
        _SIDE, _SIDE, format='rgb24', interpolation='AREA', threads=1
    )
    return orient(_small(small.to_ndarray()), frame)
