"""Runs of MMEngine for the tests."""

import copy

from mmengine.config import Config
from mmengine.runner import Runner


def make_runner(tmp_path, model, path, **more):
    return Runner(
        model=Config(dict(model=copy.deepcopy(model))).model,
        work_dir=str(tmp_path / 'work'),
        load_from=str(path),
        default_hooks=dict(convert=dict(type='ConvertCheckpointHook')),
        experiment_name=f'{tmp_path.name}-{path.name}-{len(more)}',
        default_scope='mmaction',
        **more,
    )
