"""Nonsense ends in one line that names the setting and what is allowed."""

import pytest

NONSENSE = [
    ('modle.backbone.type=XCLIPViT', 'modle', 'model'),
    ('model.backbone.type=XCLIPVit', 'model.backbone', 'XCLIPVit', 'XCLIPViT'),
    ('model.backbone.drop_path=0.1', 'model.backbone', 'drop_path', 'drop_path_rate'),
    ('model.backbone.drop_path_rate=2', 'model.backbone', 'drop_prob', '[0, 1)'),
    ('model.backbone.arch=b/17', 'model.backbone', 'b/17', 'b/16'),
    ('model.neck.num_frames=7', '7', '8'),
    ('model.cls_head.prompt.type=Prompt', 'model.cls_head.prompt', 'Prompt'),
    ('model.cls_head.classes=gone.txt', 'model.cls_head', 'gone.txt'),
    ('train_cfg.max_epochs=ten', 'train_cfg', 'ten'),
    ('train_cfg.max_epochs=0', 'max_epochs is 0'),
    ('train_cfg.type=EpochLoop', 'train_cfg', "'EpochLoop'"),
    ('train_dataloader.batch_size=0', 'batch_size', '0'),
    ('train_dataloader.num_wrokers=1', 'train_dataloader', 'wrokers', 'num_workers'),
    ('train_dataloader.num_workers=-1', 'train_dataloader', 'num_workers'),
    ('train_dataloader.dataset.ann_file=gone.txt', 'ann_file', 'gone.txt'),
    ('train_dataloader.dataset.pipeline.1.num_frames=0', 'num_frames', '0'),
    ('train_dataloader.sampler.type=Sampler', 'Sampler', 'DefaultSampler'),
    ('optim_wrapper.optimizer.type=Adamm', 'optimizer', "'Adamm'", 'Adam,'),
    ('optim_wrapper.optimizer.lr=fast', 'optim_wrapper.optimizer', 'str'),
    ('optim_wrapper.optimizer.lr=-1', 'optim_wrapper.optimizer', '-1'),
    ('param_scheduler.warmup=100', 'param_scheduler', '100', '8'),
    ('default_hooks.checkpoint.intervalx=1', 'checkpoint', 'intervalx', 'interval'),
    ('default_hooks.logger.interval=often', 'default_hooks.logger', 'interval'),
    ('default_hooks.seed.type=SeedHok', 'default_hooks.seed', 'SeedHook'),
    ('val_evaluator.type=Accuracy', 'val_evaluator', 'Accuracy', 'AccMetric'),
    ('randomness.sead=1', 'randomness', 'sead'),
    ('randomness.seed=abc', 'randomness', 'str'),
    ('log_level=LOUD', 'log_level', 'LOUD'),
    ('env_cfg.mp_cfg.mp_start_method=clone', 'env_cfg', 'clone'),
    ('visualizer.type=Pictures', 'visualizer', 'Pictures'),
    ('load_from=gone.pth', 'gone.pth'),
    ('work_dir=/proc/here', '/proc/here'),
]


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
@pytest.mark.parametrize(
    ('option', 'named'),
    [(option, named) for option, *named in NONSENSE],
    ids=[option for option, *_ in NONSENSE],
)
def test_nonsense_ends_in_one_line(demo, tool, tmp_path, option, named):
    options = [f'experiment_name={tmp_path.name}']  # MMEngine's is only of the second
    for part in ('train', 'val'):
        options += [f'{part}_dataloader.num_workers=0']
        options += [f'{part}_dataloader.persistent_workers=False']
    with pytest.raises(SystemExit) as end:
        tool('train.py', demo, '--cfg-options', *options, option)
    said = str(end.value)
    assert said.startswith('error: ')
    assert '\n' not in said
    assert all(name in said for name in named), said
