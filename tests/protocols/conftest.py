"""Protocols on shapes, with a tiny model, each run once for all tests."""

import json
import shutil

import pytest
from mmengine.config import Config

from mmxclip.text import load_class_names


@pytest.fixture(scope='module')
def shapes(tool, tmp_path_factory):
    """Clips of 16 seen and 176 unseen combinations, and the lists of all protocols."""
    root = tmp_path_factory.mktemp('data') / 'shapes'

    few_shot = 'data/make_few_shot_split.py'
    options = ['--labels', 'composition', '--held-out', 0.9, '--workers', 1]
    options += ['--train', 64, '--val', 37]
    tool('data/make_shape_actions.py', '--out', root, *options)
    tool(few_shot, root / 'train.txt', '--shots', 1, 2)
    folder = root / 'base2novel'
    folder.mkdir()
    names = load_class_names(root / 'classes.txt')
    for half, part in (('base', names[::2]), ('novel', names[1::2])):
        (folder / f'{half}_classes.txt').write_text('\n'.join(part))
        subset = ['--classes', root / 'classes.txt']
        subset += ['--subset', folder / f'{half}_classes.txt']
        val = ['--shots', 0, '--out', folder / f'{half}_val.txt']
        tool(few_shot, root / 'val.txt', *subset, *val)
        if half == 'base':
            out = folder / 'fs_base_s{seed}_train.txt'
            train = ['--shots', 3, '--seeds', 1, 2, '--out', out]
            tool(few_shot, root / 'train.txt', *subset, *train)
    return root


@pytest.fixture
def config(tiny_model, tmp_path):
    """Path of a config: the tiny model, two epochs."""

    def pipeline(test_mode):
        return [
            dict(type='VideoInit'),
            dict(type='SegmentSampleFrames', num_frames=4, test_mode=test_mode),
            dict(type='VideoDecode'),
            dict(type='Resize', scale=(32, 32), keep_ratio=False),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs'),
        ]

    def loader(test_mode):
        return dict(
            batch_size=16,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=not test_mode),
            dataset=dict(
                type='VideoListDataset',
                data_root='replaced',
                ann_file='replaced',
                data_prefix=dict(video='replaced'),
                pipeline=pipeline(test_mode),
                test_mode=test_mode,
            ),
        )

    cfg = Config(
        dict(
            custom_imports=dict(imports=['mmxclip'], allow_failed_imports=False),
            default_scope='mmaction',
            model=tiny_model,
            train_dataloader=loader(False),
            val_dataloader=loader(True),
            test_dataloader=loader(True),
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
            val_cfg=dict(type='ValLoop'),
            test_cfg=dict(type='TestLoop'),
            val_evaluator=dict(type='AccMetric'),
            test_evaluator=dict(type='AccMetric'),
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', save_best='auto')
            ),
            randomness=dict(seed=0),
            log_level='WARNING',
        )
    )
    path = tmp_path / 'tiny.py'
    cfg.dump(path)
    return path


@pytest.fixture
def protocol(tool, shapes, config, tmp_path):
    """Run a protocol on the shapes; return its table and its folder."""

    def run(name, *args, work_dir=None, start=tool):
        work_dir = work_dir or tmp_path / name
        options = ['--dataset', 'shapes', '--data-root', shapes, '--config', config]
        options += ['--work-dir', work_dir, *args]
        printed = start('run_protocol.py', name, *options)
        printed = [printed] if start is tool else printed
        assert sum((work_dir / 'table.md').read_text() in text for text in printed) == 1
        return json.loads((work_dir / 'table.json').read_text()), work_dir

    return run


@pytest.fixture(scope='module')
def finished():
    """Protocols that were run: what `protocol` returned of each."""
    return {}


@pytest.fixture
def done(protocol, finished, tmp_path, tmp_path_factory):
    """Run a protocol once for all tests; give each a folder of its own."""

    def get(name):
        if name not in finished:
            finished[name] = protocol(name, work_dir=tmp_path_factory.mktemp(name))
        table, work_dir = finished[name]
        return table, shutil.copytree(work_dir, tmp_path / name)

    return get
