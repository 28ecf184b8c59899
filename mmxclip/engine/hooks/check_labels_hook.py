"""Check labels against the class list before anything is computed."""

from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class CheckLabelsHook(Hook):
    """Refuse to train or test on labels that the head has no class for.

    Also to blend them (mixup, cutmix) for another number of classes than the head's.

    Otherwise a label that is too large ends, after a while, as an assertion inside a
    GPU kernel or in mixup, which know neither the video nor the class list. Data sets
    that do not tell labels without opening videos (``get_data_info``) are left alone.
    A data set is checked once, not before every validation.

    Raises:
        ValueError: A label is outside the class list; there is none to test on; videos
            have several labels and the head learns one, or the reverse; or labels are
            blended for another number of classes.
    """

    def __init__(self) -> None:
        # By identity and number of classes; weak, since a freed identity is reused.
        self._checked: WeakValueDictionary = WeakValueDictionary()

    def before_train(self, runner: Runner) -> None:
        """Check the training videos, and those of the validation to come."""
        _check_blending(runner)
        self._check(runner, runner.train_loop.dataloader.dataset)
        if runner.val_loop is not None:
            self.before_val(runner)

    def before_val(self, runner: Runner) -> None:
        """Check the validation videos."""
        self._check(runner, runner.val_loop.dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Check the test videos."""
        self._check(runner, runner.test_loop.dataloader.dataset)

    def _check(self, runner: Runner, dataset: Any) -> None:
        num_classes = _num_classes(_model_of(runner))
        if num_classes is None or not hasattr(dataset, 'get_data_info'):
            return
        key = (id(dataset), num_classes)
        if key in self._checked:
            return
        for index in range(len(dataset)):
            sample = dataset.get_data_info(index)
            label = sample.get('label')
            _check_kind(sample, label, _model_of(runner).cls_head)
            if isinstance(label, (int, np.integer)) and not 0 <= label < num_classes:
                raise ValueError(_complaint(sample, int(label), num_classes))
        self._checked[key] = dataset


def _check_kind(sample: dict, label: Any, head: Any) -> None:
    """Refuse several labels a video where the head knows one, and the reverse."""
    several = np.ndim(label) > 0
    if label is None or several == head.multi_class:
        return
    have, wants = ('several labels', 'one') if several else ('one label', 'several')
    raise ValueError(
        f'Videos of {sample.get("ann_file", "a list")} have {have} each, but '
        f'{type(head).__name__} learns {wants}: docs/howto/custom_dataset.md, "Several '
        'labels", has the recipe (MultiLabelHead, multi_class=True of the data set)'
    )


def _model_of(runner: Runner) -> Any:
    return getattr(runner.model, 'module', runner.model)


def _num_classes(model: Any) -> int | None:
    return getattr(getattr(model, 'cls_head', None), 'num_classes', None)


def _check_blending(runner: Runner) -> None:
    model = _model_of(runner)
    num_classes = _num_classes(model)
    blending = getattr(getattr(model, 'data_preprocessor', None), 'blending', None)
    for augment in getattr(blending, 'augments', [blending]):
        blended = getattr(augment, 'num_classes', num_classes)
        if num_classes is not None and blended != num_classes:
            raise ValueError(
                f'{type(augment).__name__} blends labels of {blended} classes, the '
                f'head has {num_classes}: set num_classes in '
                f'model.data_preprocessor.blending to {num_classes}'
            )


def _complaint(sample: dict, label: int, num_classes: int) -> str:
    where = (
        f'{sample.get("filename", "a video")} in {sample.get("ann_file", "its list")}'
    )
    if label == -1:
        return (
            f'There is no label for {where}: nothing can be learned or counted. To '
            'name the action in a video without one, use tools/predict.py.'
        )
    return (
        f'Label {label} of {where} is outside the class list, which has {num_classes} '
        f'names: labels are 0 to {num_classes - 1}. Correct the list, or classes of '
        'the head.'
    )
