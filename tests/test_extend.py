"""The examples of docs/howto/extend.md run as they stand."""

import copy
import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper

from mmxclip.checkpoints.load import load
from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write


@pytest.fixture(scope='module')
def examples(root):
    """Names that the code of the page defines, in one namespace."""
    page = (root / 'docs/howto/extend.md').read_text()
    names: dict = {}
    exec('\n'.join(re.findall(r'```python\n(.*?)```', page, re.DOTALL)), names)
    yield names
    for name in ('Volume', 'AttentionPool', 'TextTable', 'VideoBias'):
        MODELS.module_dict.pop(name)


@pytest.fixture
def tiny_config(tiny_model):
    return copy.deepcopy(tiny_model)


@pytest.fixture
def model(examples, tiny_model, tiny_config):
    new = {key: examples['backbone'][key] for key in ('adapters', 'frozen')}
    tiny_model['backbone'].update(new)
    prompt = dict(examples['cls_head']['prompt'], context_dims=32, embed_dims=16)
    tiny_model['cls_head']['prompt'] = prompt
    tiny_model['neck'] = dict(examples['neck'], embed_dims=16)
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
        if 'adapters.' in name or 'prompt' in name or 'message_' in name:
            assert rates[id(parameter)] == 10, name
        elif name.startswith('backbone.'):
            assert id(parameter) not in rates, name


def test_videos_and_texts_apart(examples, model):
    frames = torch.randn(2, 1, 3, 4, 32, 32)
    logits = examples['rank'](model.eval(), frames, ['a dog runs', 'a cat sleeps'])
    assert logits.shape == (2, 2)
    features = examples['embed'](model.cls_head.text_encoder, ['a', 'b', 'c'])
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(3))


def test_a_table_of_embeddings_is_a_text_tower(examples, tiny_model, tmp_path):
    table = {name: torch.randn(16) for name in tiny_model['cls_head']['classes']}
    torch.save(table, tmp_path / 'table.pth')
    tower = dict(examples['text_encoder'], file=tmp_path / 'table.pth')
    tiny_model['cls_head']['text_encoder'] = tower
    model = MODELS.build(tiny_model)
    head = model.cls_head
    assert torch.equal(head.text_features()[0], torch.stack(list(table.values())))
    head.set_classes(['dancing', 'archery'])
    logits = head(model.extract_feat(torch.randn(1, 1, 3, 4, 32, 32))[0])
    assert logits.shape == (1, 2)
    write(tmp_path / 'own.pth', model.state_dict())
    assert not load(MODELS.build(tiny_model), tmp_path / 'own.pth').kept


def is_new(name):
    return name.startswith(('neck', 'cls_head.prompt')) or 'adapters.' in name


@pytest.mark.parametrize('source', ['openai-clip', 'official', 'mmxclip'])
def test_a_model_with_new_parts_starts_from_any_checkpoint(
    model, tiny_config, tmp_path, source
):
    weights = MODELS.build(tiny_config).state_dict()
    write(tmp_path / 'x.pth', weights, source)
    before = {name: p.clone() for name, p in model.named_parameters()}
    report = load(model, tmp_path / 'x.pth', complete=False)
    for name, parameter in model.named_parameters():
        kept = is_new(name) or (source == 'openai-clip' and 'message_' in name)
        assert torch.equal(parameter, (before if kept else weights)[name]), name
        assert (name in report.kept) == kept
    with pytest.raises(CheckpointError, match=r'lacks \d+ parameters'):
        load(model, tmp_path / 'x.pth')


def test_new_parameters_are_saved_and_loaded(model, tmp_path):
    write(tmp_path / 'own.pth', model.state_dict())
    want = {name: p.clone() for name, p in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.data.zero_()
    load(model, tmp_path / 'own.pth')
    assert all(torch.equal(p, want[name]) for name, p in model.state_dict().items())


def test_a_parameter_that_nobody_declares_is_missed(tiny_model, tmp_path):
    weights = MODELS.build(tiny_model).state_dict()
    write(tmp_path / 'clip.pth', weights, 'openai-clip')
    model = MODELS.build(tiny_model)
    model.backbone.resblocks[1].extra = torch.nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match=r'1\.extra\.weight.*fresh_parameters'):
        load(model, tmp_path / 'clip.pth', complete=False)
