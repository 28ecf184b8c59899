"""Compiled parts: one graph each, the same numbers, nothing compiled twice."""

import copy
import json
import pickle

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner import Runner

from mmxclip.engine.hooks.compile_hook import CompileHook, compile_parts

# the compiler's own warnings, of torch
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings('ignore')]
STRICT = dict(fullgraph=True, backend='aot_eager')


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def videos(number):
    return torch.randn(number, 1, 3, 4, 32, 32)


def scores(model, inputs):
    return model.extract_feat(inputs, stage='head')[0]


@pytest.mark.parametrize('training', [False, True])
def test_one_graph_for_every_batch_and_class_list(tiny_model, training):
    model = MODELS.build(tiny_model).train(training)
    inputs = videos(4)  # as many as frames
    with torch.set_grad_enabled(training):
        expected = scores(model, inputs)
        compile_parts(model, **STRICT)
        torch.testing.assert_close(
            scores(model, inputs), expected, atol=1e-5, rtol=1e-5
        )
        with torch.compiler.set_stance('fail_on_recompile'):
            for number in (3, 2, 7):
                assert scores(model, videos(number)).shape == (number, 5)
            for number in (2, 7, 400):
                model.cls_head.set_classes([f'class {i}' for i in range(number)])
                assert scores(model, inputs).shape == (4, number)


def test_gradients_are_those_of_the_eager_model(tiny_model):
    model = MODELS.build(tiny_model).train()
    inputs = videos(2)
    gradients = []
    for compiled in (False, True):
        if compiled:
            compile_parts(model, **STRICT)
        model.zero_grad()
        scores(model, inputs).logsumexp(dim=1).sum().backward()
        gradients.append([p.grad for p in model.parameters() if p.requires_grad])
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-5, rtol=1e-4)


def test_a_copy_computes_with_its_own_weights(tiny_model):
    model, inputs = MODELS.build(tiny_model).eval(), videos(2)
    compile_parts(model, **STRICT)
    expected = scores(model, inputs)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(scores(other, inputs), expected)
        with torch.no_grad():
            other.backbone.conv1.weight.mul_(2)
        assert not torch.allclose(scores(other, inputs), expected)


def test_a_runner_that_has_trained_may_test(tiny_model, tmp_path):
    scope, name = 'mmaction', tmp_path.name
    runner = Runner(
        tiny_model, str(tmp_path), default_scope=scope, experiment_name=name
    )
    hook = CompileHook(**STRICT)
    for _ in ('train', 'test'):
        hook.before_run(runner)
        assert scores(runner.model, videos(2)).shape == (2, 5)


@pytest.mark.slow
@pytest.mark.usefixtures('shapes')
def test_trains_compiled_and_writes_a_trace(demo, tool, tmp_path):
    config = tmp_path / 'compiled.py'
    config.write_text(
        f"_base_ = '{demo}'\n"
        'train_cfg = dict(max_epochs=1, val_interval=1)\n'
        'custom_hooks = [\n'
        "    dict(type='EMAHook'),\n"
        "    dict(type='CompileHook', backend='aot_eager', fullgraph=True),\n"
        "    dict(type='ProfilerHook', by_epoch=False, json_trace_path='trace.json'),\n"
        ']\n'
    )
    log = tool('train.py', config, '--work-dir', tmp_path)
    assert 'Epoch(val) [1]' in log
    events = json.loads((tmp_path / 'trace.json').read_text())['traceEvents']
    assert any('addmm' in event['name'] for event in events)
