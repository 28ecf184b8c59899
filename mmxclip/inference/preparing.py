"""Videos as the samples that a model takes, prepared in any process."""

import multiprocessing
import pickle
from dataclasses import dataclass
from typing import Any, get_args

import cv2
import numpy as np
import torch
from mmaction.utils import ConfigType
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings

from mmxclip.inference.inputs import InputFormat
from mmxclip.inference.serving import steps_of_packed
from mmxclip.inference.sources import Source


@dataclass(frozen=True)
class Prepared:
    """A sample on its way between processes.

    Attributes:
        inputs: Frames of all views, as the pipeline packs them.
        rest: The other parts of the sample, pickled.
    """

    inputs: np.ndarray
    rest: bytes

    def sample(self) -> dict[str, Any]:
        """Return what the pipeline gave."""
        return dict(inputs=torch.from_numpy(self.inputs), **pickle.loads(self.rest))


class Preparer:
    """A config's test pipeline for sources of any kind.

    Args:
        cfg: The config, such as ``inferencer.cfg``.
        num_threads: Threads that decode a video.
    """

    def __init__(self, cfg: ConfigType, *, num_threads: int = 1) -> None:
        self._steps = {
            kind: steps_of_packed(cfg, kind, num_threads=num_threads)
            for kind in get_args(InputFormat)
        }
        self._imports = cfg.get('custom_imports') or dict(imports=[])
        self._pipelines: dict[str, Compose] = {}

    def __call__(self, source: Source) -> Prepared | str:
        """Return the sample of a video, or in one line why there is none.

        Raises:
            ImportError: Its decoder is not installed, which is no fault of the video.
        """
        if source.problem:
            return one_line(source.problem, source.name)
        try:
            sample = self._pipeline(source.input_format)(source.packed())
            inputs = sample.pop('inputs').numpy()
            return Prepared(inputs, pickle.dumps(sample))
        except ImportError:
            raise
        except Exception as error:  # whatever a decoder makes of a broken file
            return one_line(error, source.name)

    def _pipeline(self, kind: str) -> Compose:
        if not self._pipelines and multiprocessing.parent_process() is not None:
            # As in workers of a data loader: each has one core, and pools of threads
            # do not survive a fork.
            cv2.setNumThreads(0)
            torch.set_num_threads(1)
        if kind not in self._pipelines:
            init_default_scope('mmaction')
            import_modules_from_strings(**self._imports)  # processes may be no forks
            self._pipelines[kind] = Compose(self._steps[kind])
        return self._pipelines[kind]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what each process builds of its own."""
        return self.__dict__ | dict(_pipelines={})


def one_line(error: Exception | str, name: str) -> str:
    """Return an error as one line that names the video."""
    text = ' '.join(str(error).split()) or type(error).__name__
    named = ' '.join(name.rpartition('/')[2].split())
    return text if named in text else f'{name}: {text}'
