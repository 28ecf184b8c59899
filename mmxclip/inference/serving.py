"""The parts of a config that predictions are made with."""

import copy
import os
from typing import Any

from mmaction.utils import ConfigType, get_str_type

from mmxclip.text import Classes

_DECODERS = dict(array='ArrayDecode', rawframes='RawFrameDecode')


def serving_config(cfg: ConfigType, classes: Classes | None) -> ConfigType:
    """Return a config whose model knows the classes that are asked for.

    Args:
        cfg: Config; is not changed.
        classes: What its head gets in place of its own, so that these are not even
            read. None: its own.

    Raises:
        ValueError: It lacks what predictions need.
    """
    if not (cfg.get('model') and cfg.get('test_dataloader')):
        name = getattr(cfg, 'filename', None) or 'the config'
        raise ValueError(
            f'{os.fspath(name)} lacks a model, or a test_dataloader, whose pipeline '
            'prepares the videos'
        )
    if classes is None or 'classes' not in (cfg.model.get('cls_head') or ()):
        return cfg
    cfg = copy.deepcopy(cfg)
    cfg.model.cls_head.classes = classes.plain()
    cfg.model.cls_head.pop('num_classes', None)
    return cfg


def serving_pipeline(
    cfg: ConfigType, input_format: str, pack_cfg: ConfigType
) -> list[dict[str, Any]]:
    """Return the config's test pipeline for an input format; nothing else changes.

    Args:
        cfg: Config; is not changed.
        input_format: ``'video'``, ``'array'`` or ``'rawframes'``.
        pack_cfg: More arguments of ``InferencerPackInput``.
    """
    pack = dict(type='InferencerPackInput', input_format=input_format, **pack_cfg)
    return [pack, *steps_of_packed(cfg, input_format, num_threads=2)]


def steps_of_packed(
    cfg: ConfigType, input_format: str, *, num_threads: int
) -> list[dict[str, Any]]:
    """Return the config's test pipeline for what an input is packed into.

    Args:
        cfg: Config; is not changed.
        input_format: ``'video'``, ``'array'`` or ``'rawframes'``.
        num_threads: Threads that decode a video, where the config does not say: two
            where no other one is read meanwhile.
    """
    if input_format != 'video':
        return steps_of_opened(cfg, _DECODERS[input_format])
    steps = [dict(step) for step in cfg.test_dataloader.dataset.pipeline]
    for step in steps:
        if get_str_type(step['type']) == 'VideoInit':
            step.setdefault('num_threads', num_threads)
    return steps


def steps_of_opened(cfg: ConfigType, decoder: str) -> list[dict[str, Any]]:
    """Return the config's test pipeline for what need not be opened any more.

    Args:
        cfg: Config; is not changed.
        decoder: Type of the step that takes the chosen frames out of it.
    """
    steps = [dict(step) for step in cfg.test_dataloader.dataset.pipeline]
    kinds = [get_str_type(step['type']) for step in steps]
    return [
        dict(type=decoder) if 'Decode' in kind else step
        for step, kind in zip(steps, kinds, strict=True)
        if 'Init' not in kind
    ]
