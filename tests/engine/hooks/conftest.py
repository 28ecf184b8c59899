"""A training of a moment, in which all draws."""

import random
import uuid

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset


@DATASETS.register_module()
class DrawnNumbers(Dataset):
    """Seven samples that Python, NumPy and torch draw."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        drawn = [random.random(), np.random.rand(), float(torch.rand(())), index]
        return dict(inputs=torch.tensor(drawn))


@MODELS.register_module()
class DropoutModel(BaseModel):
    """A linear layer behind dropout."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, inputs, mode='tensor'):
        features = nn.functional.dropout(torch.stack(inputs), training=self.training)
        output = self.layer(features)
        return dict(loss=output.square().mean()) if mode == 'loss' else output


@METRICS.register_module()
class TwoNumbers(BaseMetric):
    """Numbers of which only the second is known to be better when greater."""

    default_prefix = 'two'
    top1 = 0.0

    def process(self, data_batch, data_samples):
        self.results += [0] * len(data_samples)

    def compute_metrics(self, results):
        TwoNumbers.top1 += 0.125
        return dict(worst=0.0, top1=TwoNumbers.top1)


@pytest.fixture
def train(tmp_path):
    """Train in ``tmp_path/NAME``; returns the runner."""

    def run(
        name,
        *,
        kind=Runner,
        epochs=4,
        resume=None,
        workers=0,
        hook=(),
        hooks=(),
        **settings,
    ):
        sampler = dict(type='DefaultSampler', shuffle=True)
        loader = dict(
            batch_size=2, num_workers=workers, dataset=dict(type='DrawnNumbers')
        )
        val_loader = dict(loader, sampler=dict(type='DefaultSampler', shuffle=False))
        cfg = dict(
            default_scope='mmaction',
            model=dict(type='DropoutModel'),
            work_dir=str(tmp_path / name),
            train_dataloader=dict(
                loader, sampler=sampler, batch_sampler=dict(type='SeededBatchSampler')
            ),
            train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=epochs),
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=0.01), accumulative_counts=3
            ),
            val_dataloader=val_loader,
            val_cfg=dict(type='ValLoop'),
            val_evaluator=dict(type='TwoNumbers'),
            default_hooks=dict(
                seed=dict(type='SeedHook'),
                checkpoint=dict(
                    dict(type='SafeCheckpointHook', interval=1, max_keep_ckpts=1),
                    **dict(hook),
                ),
            ),
            randomness=dict(seed=5),
            resume=resume is not None,
            load_from=resume and str(tmp_path / name / resume),
            env_cfg={},
            log_level='ERROR',
            experiment_name=uuid.uuid4().hex,
        )
        runner = kind.from_cfg(cfg | settings)
        for each in hooks:
            runner.register_hook(each)
        runner.train()
        return runner

    TwoNumbers.top1 = 0.0
    return run
