"""Open a video as a pipeline does and look whether it can be decoded."""

import logging

import numpy as np
from mmaction.registry import TRANSFORMS
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mmxclip.datasets.readers import VideoError

MISSING = 'missing'


class VideoChecker:
    """Tell why a video cannot be used, with the transforms of a config's pipeline.

    So storage backends and archives are read as in training. The first, the middle
    and the last frame are decoded, which finds truncated files too.

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
        self.transforms: list | None = None

    def __call__(self, path: str) -> str | None:
        """Return None for a good video, else what is wrong with it."""
        if self.transforms is None:  # once in each process
            init_default_scope('mmaction')
            # The report says all; a line per video would break the progress bar.
            MMLogger.get_current_instance().setLevel(logging.ERROR)
            self.transforms = [TRANSFORMS.build(step) for step in self.steps]
        opener, decoder = self.transforms
        results: dict | None = dict(filename=path, start_index=0, modality='RGB')
        try:
            results = opener(results)
            count = results['total_frames']
            if count < 1:
                return 'no frames'
            results['frame_inds'] = np.array([0, count // 2, count - 1])
            decoder(results)
        except VideoError as error:
            return str(error).removeprefix(path).strip(' :')
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            return MISSING if missing else 'cannot be read'
        except ImportError:  # would otherwise condemn every video
            raise
        except (AttributeError, TypeError) as error:  # no fault of a file either
            names = ', '.join(step['type'] for step in self.steps)
            raise ValueError(
                f'the pipeline ({names}) cannot read {path}: '
                f'{type(error).__name__}: {error}'
            ) from error
        except Exception as error:  # whatever a decoder makes of a broken file
            return f'cannot be decoded ({type(error).__name__})'
        return None
