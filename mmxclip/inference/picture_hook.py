"""Pictures of predictions, drawn while a model is tested."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from mmaction.registry import HOOKS
from mmaction.structures import ActionDataSample
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import Tensor

from mmxclip.inference.inputs import frames_of
from mmxclip.inference.picture import draw_prediction
from mmxclip.inference.picture_files import save_picture
from mmxclip.utils.checks import check_count


@HOOKS.register_module()
class PictureHook(Hook):
    """Draw the frames that the model saw, with the scores of the best classes.

    MMAction2's ``VisualizationHook`` draws one view of a video, packed without an
    axis for views, and no scores. For models that give class scores. A config that
    names it imports ``mmxclip.inference.picture_hook`` beside ``mmxclip``.

    Args:
        out_dir: Folder of the pictures, ``<number>_<name of the video>.png``.
        interval: Every so many videos are drawn.
        show: Whether to open a window for each.
        wait_time: Seconds that a window stays.
    """

    def __init__(
        self,
        out_dir: str | None = None,
        interval: int = 1,
        *,
        show: bool = False,
        wait_time: float = 2,
    ) -> None:
        check_count('interval', interval)
        self.out_dir = out_dir
        self.interval = interval
        self.show = show
        self.wait_time = wait_time
        self._seen = 0  # by this process

    def before_test(self, runner: Runner) -> None:
        """Count anew."""
        self._seen = 0
        if self.show and mpl.get_backend().lower() == 'agg':
            self.show = False  # it would wait for nothing
            print_log(
                'There is no screen to show pictures on; --show-dir FOLDER keeps them.',
                logger='current',
                level=logging.WARNING,
            )

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[ActionDataSample] = (),
    ) -> None:
        """Draw what is to be drawn of a batch."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        classes = getattr(model.cls_head, 'classes', None)
        for inputs, sample in zip(data_batch['inputs'], outputs, strict=True):
            number = self._seen * get_world_size() + get_rank()  # as they are shared
            self._seen += 1
            if number % self.interval == 0:
                self._draw(f'{number:05}', inputs, sample, classes)

    def _draw(
        self,
        number: str,
        inputs: Tensor,
        sample: ActionDataSample,
        classes: Sequence[str] | None,
    ) -> None:
        scores = sample.pred_score.tolist()
        names = classes or [f'class {i}' for i in range(len(scores))]
        file = Path(sample.get('filename', ''))
        title = f'{file.name}: {names[int(sample.pred_score.argmax())]}'
        label = sample.get('gt_label', torch.empty(0))
        if len(label) > 1:  # one-hot, of a video of several classes
            label = label.nonzero()
        labels = label.flatten().tolist()
        known = [names[label] for label in labels if 0 <= label < len(names)]
        if known:
            title += f' (is {", ".join(known)})'
        picture = draw_prediction(
            frames_of(inputs), dict(zip(names, scores, strict=True)), title
        )
        if self.out_dir:
            path = Path(self.out_dir, f'{number}_{file.stem}.png')
            save_picture(picture, path)
        if self.show:
            window = Visualizer.get_current_instance()
            window.show(picture, win_name=title, wait_time=self.wait_time)
