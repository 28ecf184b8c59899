"""Optimizer groups and learning rates of the recipe, against the reference."""

import json

import pytest
import torch
from mmaction.registry import MODELS, PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmxclip.checkpoints.layouts.official import XCLIP_OFFICIAL

SCHEDULES = 'configs/_base_/schedules'


@pytest.fixture
def schedule(root):
    return Config.fromfile(root / SCHEDULES / 'adamw_30e.py')


@pytest.fixture
def reference(shared):
    return json.loads((shared / 'golden/optimizer_groups.json').read_text())


@pytest.fixture
def official(shared):
    return torch.load(shared / 'golden/xclip_tiny_t8_mit4.pth', weights_only=True)


@pytest.fixture
def recognizer(official):
    """The recognizer of the size that the stored groups were made with."""
    size = official['config']
    arch = dict(
        img_size=size['image_resolution'],
        patch_size=size['vision_patch_size'],
        embed_dims=size['vision_width'],
        depth=size['vision_layers'],
        num_heads=size['vision_width'] // 64,
        out_dims=size['embed_dim'],
    )
    text_arch = dict(
        embed_dims=size['transformer_width'],
        depth=size['transformer_layers'],
        num_heads=size['transformer_heads'],
        out_dims=size['embed_dim'],
        context_length=size['context_length'],
        vocab_size=size['vocab_size'],
    )
    prompt = dict(
        type='VideoSpecificPrompt',
        embed_dims=size['embed_dim'],
        context_dims=size['vision_width'],
        depth=size['prompts_layers'],
    )
    return MODELS.build(
        dict(
            type='Recognizer3D',
            backbone=dict(type='XCLIPViT', arch=arch),
            neck=dict(
                type='MIT',
                embed_dims=size['embed_dim'],
                num_frames=size['num_frames'],
                depth=size['mit_layers'],
            ),
            cls_head=dict(
                type='XCLIPHead',
                classes=['a', 'b'],
                text_encoder=dict(type='CLIPTextEncoder', arch=text_arch),
                prompt=prompt,
            ),
        )
    )


def rename(names, official):
    """Official parameter names to ours, through the one renaming table."""
    tagged = {
        name: torch.full_like(value, i, dtype=torch.float64)
        for i, (name, value) in enumerate(official['state_dict'].items())
    }
    order = list(tagged)
    ours = XCLIP_OFFICIAL.to_ours(tagged).tensors
    table = {order[int(v.flatten()[0])]: name for name, v in ours.items()}
    return {table[name]: value for name, value in names.items()}


@pytest.mark.parity
def test_every_parameter_has_the_reference_rate_and_decay(
    schedule, reference, official, recognizer
):
    optim_wrapper = build_optim_wrapper(recognizer, schedule.optim_wrapper)
    names = {param: name for name, param in recognizer.named_parameters()}
    found = {
        names[param]: (group['lr'], group['weight_decay'])
        for group in optim_wrapper.optimizer.param_groups
        for param in group['params']
    }
    base = reference['base_lr']
    expected = {
        name: (base * group['lr_mult'], group['weight_decay'])
        for name, group in rename(reference['groups'], official).items()
    }
    assert found == expected
    for group in optim_wrapper.optimizer.param_groups:
        assert list(group['betas']) == reference['betas']
        assert group['eps'] == reference['eps']
    frozen = rename(dict.fromkeys(reference['frozen']), official)
    assert set(frozen) == {
        name for name, p in recognizer.named_parameters() if not p.requires_grad
    }


@pytest.mark.slow
def test_parameters_share_few_groups(schedule, recognizer):
    optim_wrapper = build_optim_wrapper(recognizer, schedule.optim_wrapper)
    assert len(optim_wrapper.optimizer.param_groups) == 4


def build_groups(model, rules, **optimizer):
    return build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='GroupedOptimWrapperConstructor',
            optimizer=dict(type='SGD', **optimizer),
            paramwise_cfg=rules,
        ),
    ).param_groups


@pytest.mark.parametrize('rules', [None, {}])
def test_without_rules_there_are_groups_too(rules):
    model = nn.Linear(2, 3)
    model.frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)
    groups = [
        ([tuple(p.shape) for p in group['params']], group['weight_decay'])
        for group in build_groups(model, rules, lr=1.0, weight_decay=0.5)[:-1]
    ]  # the last one is MMEngine's own
    assert groups == [([(3, 2)], 0.5), ([(3,)], 0.0)]


def test_factors_of_all_parts_of_a_name_multiply():
    model = nn.ModuleDict(dict(a=nn.Linear(2, 2), b=nn.Linear(2, 2)))
    groups = build_groups(model, {'lr_mult': {'a.': 10, 'bias': 0.5}}, lr=2.0)
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    found = {name: rates[id(p)] for name, p in model.named_parameters()}
    assert found == {'a.weight': 20, 'a.bias': 10, 'b.weight': 2, 'b.bias': 1}


@pytest.mark.slow
def test_a_rule_that_fits_no_parameter_is_named(capsys):
    MMLogger.get_instance('rules', logger_name='mmengine')
    rules = {'lr_mult': {'nekc.': 10, 'weight': 10}, 'no_decay': ['postional']}
    build_groups(nn.Linear(2, 2), rules, lr=1.0)
    text = ''.join(capsys.readouterr())
    assert text.count('which is part of no parameter') == 2
    assert "'nekc.'" in text
    assert "'postional'" in text


@pytest.mark.parametrize(
    ('optimizer', 'rules', 'message'),
    [
        ({'lr': 1.0}, {'custom_keys': {}}, r"unknown keys \['custom_keys'\]"),
        ({'lr': 1.0}, {'lr_mult': ['neck.']}, 'lr_mult as a dict'),
        ({'lr': 1.0}, {'no_decay': 'bias'}, 'no_decay as a list'),
        ({}, {}, 'optim_wrapper.optimizer.lr.*None'),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(optimizer, rules, message):
    with pytest.raises(ValueError, match=message):
        build_groups(nn.Linear(2, 2), rules, **optimizer)


def make_optimizer(*rates):
    return torch.optim.SGD(
        [dict(params=[nn.Parameter(torch.zeros(1))], lr=rate) for rate in rates]
    )


def run(optimizer, scheduler, steps):
    """The rates that each step uses."""
    rates = []
    for _ in range(steps):
        rates.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parity
def test_rates_equal_the_reference(schedule, shared):
    golden = json.loads((shared / 'golden/lr_schedule.json').read_text())
    optimizer = make_optimizer(*(group['base_lr'] for group in golden['groups']))
    scheduler = PARAM_SCHEDULERS.build(
        schedule.param_scheduler,
        default_args=dict(
            optimizer=optimizer,
            end=schedule.train_cfg.max_epochs,  # as the Runner does
            epoch_length=golden['iters_per_epoch'],
        ),
    )
    assert not scheduler.by_epoch  # so that the hook calls it in every iteration
    rates = run(optimizer, scheduler, golden['epochs'] * golden['iters_per_epoch'])
    for i, group in enumerate(golden['groups']):
        found = [[step, rates[step][i]] for step, _ in group['points']]
        assert found == [
            [step, pytest.approx(rate, rel=1e-12)] for step, rate in group['points']
        ]


@pytest.mark.parametrize('done', [1, 4, 10])
@pytest.mark.parametrize('end', [10, 16])
def test_rates_go_on_after_resuming(done, end):
    """Also at the end of a run, on the curve of a longer one."""

    def build(optimizer, end):
        kwargs = dict(type='WarmupCosineLR', warmup=2, end=end, by_epoch=False)
        return PARAM_SCHEDULERS.build(kwargs, default_args=dict(optimizer=optimizer))

    whole = make_optimizer(1.0, 10.0)
    expected = run(whole, build(whole, end), end)

    first = make_optimizer(1.0, 10.0)
    scheduler = build(first, 10)
    run(first, scheduler, done)
    second = make_optimizer(1.0, 10.0)
    resumed = build(second, end)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    assert run(second, resumed, end - done) == expected[done:]


def test_without_warmup_the_run_starts_at_the_full_rate():
    optimizer = make_optimizer(1.0, 10.0)
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='WarmupCosineLR', warmup=0, end=10, by_epoch=False),
        default_args=dict(optimizer=optimizer),
    )
    rates = run(optimizer, scheduler, 10)
    assert rates[0] == [1.0, 10.0]
    assert rates[5] == pytest.approx([0.505, 5.005])


@pytest.mark.parametrize('warmup', [-1, 10, 11])
def test_warmup_must_be_shorter_than_the_run(warmup):
    with pytest.raises(ValueError, match=r'warmup.*\[0, 10\)'):
        PARAM_SCHEDULERS.build(
            dict(type='WarmupCosineLR', warmup=warmup, end=10, by_epoch=False),
            default_args=dict(optimizer=make_optimizer(1.0)),
        )


def test_a_run_without_a_batch_is_told_as_such():
    config = dict(type='WarmupCosineLR', warmup=0, end=0, by_epoch=False)
    with pytest.raises(ValueError, match='gives no batch'):
        PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=make_optimizer(1.0)))


def test_no_epoch_is_spent_at_rate_zero():
    config = dict(type='WarmupCosineLR', warmup=2, end=10)
    with pytest.raises(ValueError, match='convert_to_iter_based=True'):
        PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=make_optimizer(1.0)))


def test_warmup_of_a_config_is_compared_in_epochs():
    config = dict(
        type='WarmupCosineLR',
        warmup=5,
        end=3,
        convert_to_iter_based=True,
        epoch_length=940,
    )
    message = r'\[0, 3\).* 3 epochs, got 5: set param_scheduler\.warmup'
    with pytest.raises(ValueError, match=message):
        PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=make_optimizer(1.0)))


@pytest.mark.parametrize(
    ('name', 'rate', 'epochs', 'batch'),
    [
        ('adamw_30e', 8e-6, 30, 256),
        ('adamw_10e', 8e-6, 10, 256),
        ('adamw_50e', 2e-6, 50, 64),
        ('adamw_11e', 2e-6, 11, 64),
    ],
)
def test_schedules_of_the_protocols(root, name, rate, epochs, batch):
    cfg = Config.fromfile(root / SCHEDULES / f'{name}.py')
    assert cfg.optim_wrapper.optimizer.lr == rate
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.001
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=batch)
