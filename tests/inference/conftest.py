"""A tiny model with its config, checkpoint and videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.datasets.shape_actions import ShapeAction, draw_clip
from mmxclip.inference import XCLIPInferencer

PIPELINE = [
    dict(type='VideoInit'),
    dict(type='SegmentSampleFrames', num_frames=4, num_views=2, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 40)),
    dict(type='ThreeCrop', crop_size=40),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]


@pytest.fixture
def config_file(tiny_model, tmp_path) -> Path:
    """Config whose test pipeline has 2 clips x 3 crops."""
    config = Config(
        dict(
            custom_imports=dict(imports=['mmxclip'], allow_failed_imports=False),
            default_scope='mmaction',
            model=tiny_model,
            test_pipeline=PIPELINE,
            test_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(type='VideoDataset', pipeline=PIPELINE),
            ),
        )
    )
    path = tmp_path / 'tiny.py'
    config.dump(path)
    return path


@pytest.fixture
def checkpoint(tiny_model, tmp_path) -> Path:
    """Random weights for it."""
    torch.manual_seed(1)
    path = tmp_path / 'tiny.pth'
    torch.save(dict(state_dict=MODELS.build(tiny_model).state_dict()), path)
    return path


@pytest.fixture
def inferencer(config_file, checkpoint) -> XCLIPInferencer:
    return XCLIPInferencer(config_file, checkpoint, device='cpu')


@pytest.fixture
def videos(tmp_path) -> list[str]:
    """Two encoded videos, the second wider than high."""
    paths = []
    for i, motion in enumerate(['moving left', 'growing']):
        frames = draw_clip(
            ShapeAction('circle', 'red', motion), np.random.default_rng(i)
        )
        size = (40 + 24 * i, 40)
        path = tmp_path / f'clip{i}.mp4'
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 8, size)
        for frame in frames:
            writer.write(cv2.resize(frame[..., ::-1], size))
        writer.release()
        paths.append(str(path))
    return paths
