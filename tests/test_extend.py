"""The examples of docs/extend.md run as they stand."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper


@pytest.fixture(scope='module')
def examples(root):
    """Names that the code of the page defines, in one namespace."""
    page = (root / 'docs/extend.md').read_text()
    names: dict = {}
    exec('\n'.join(re.findall(r'```python\n(.*?)```', page, re.DOTALL)), names)
    yield names
    for name in ('AdapterBlock', 'VideoBias'):
        MODELS.module_dict.pop(name)


@pytest.fixture
def model(examples, tiny_model):
    block = dict(examples['backbone']['communication'], hidden_dims=4)
    tiny_model['backbone'].update(communication=block, frozen='pretrained')
    prompt = dict(examples['cls_head']['prompt'], context_dims=32, embed_dims=16)
    tiny_model['cls_head']['prompt'] = prompt
    return MODELS.build(tiny_model)


def test_what_is_new_learns_with_the_higher_rate(model):
    wrapper = dict(
        constructor='GroupedOptimWrapperConstructor',
        optimizer=dict(type='AdamW', lr=1.0),
        paramwise_cfg=dict(fresh_lr_mult=10),
    )
    groups = build_optim_wrapper(model, wrapper).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    for name, parameter in model.named_parameters():
        if 'after_' in name or 'prompt' in name or 'message_' in name:
            assert rates[id(parameter)] == 10, name
        elif name.startswith('backbone.'):
            assert id(parameter) not in rates, name


def test_videos_and_texts_apart(examples, model):
    frames = torch.randn(2, 1, 3, 4, 32, 32)
    logits = examples['rank'](model.eval(), frames, ['a dog runs', 'a cat sleeps'])
    assert logits.shape == (2, 2)
    features = examples['embed'](model.cls_head.text_encoder, ['a', 'b', 'c'])
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(3))
