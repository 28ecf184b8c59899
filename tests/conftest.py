"""Fixtures for the whole suite."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _seed():
    """Start every test from the same random state."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope='session', autouse=True)
def _scope():
    """Let types be found in MMAction2's registries, as a Runner does."""
    init_default_scope('mmaction')


@pytest.fixture(scope='session')
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope='session')
def shared() -> Path:
    """Reference numbers, real clips and lists that live beside the repository."""
    path = ROOT.parent / 'shared'
    if not path.is_dir():
        pytest.skip(f'no reference material beside the repository ({path})')
    return path


@pytest.fixture
def tiny_model() -> dict:
    """Config of a whole X-CLIP at toy size: 32 pixels, 4 frames, 5 classes."""
    return dict(
        type='Recognizer3D',
        data_preprocessor=dict(
            type='ActionDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            format_shape='NCTHW',
        ),
        backbone=dict(
            type='XCLIPViT',
            arch=dict(
                img_size=32,
                patch_size=16,
                embed_dims=32,
                depth=2,
                num_heads=2,
                out_dims=16,
            ),
        ),
        neck=dict(type='MIT', embed_dims=16, num_frames=4, num_heads=2),
        cls_head=dict(
            type='XCLIPHead',
            classes=['archery', 'bowling', 'canoeing', 'dancing', 'eating'],
            text_encoder=dict(
                type='CLIPTextEncoder',
                arch=dict(
                    embed_dims=16,
                    depth=2,
                    num_heads=2,
                    out_dims=16,
                    context_length=77,
                    vocab_size=49408,
                ),
            ),
            prompt=dict(
                type='VideoSpecificPrompt',
                embed_dims=16,
                context_dims=32,
                num_heads=2,
            ),
        ),
        test_cfg=None,
    )
