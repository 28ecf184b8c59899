"""What only a GPU shows: precision, determinism, devices, sharding, ONNX."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.export.graphs import graphs_of
from mmxclip.export.onnx_file import write_onnx

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.filterwarnings('ignore:MIT was built for 4 frames'),
    pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device'),
]
SHORT = ('default_hooks.checkpoint.interval=1', 'train_cfg.max_epochs=1')


@pytest.fixture
def train(demo, shapes, tool, tmp_path):
    """Train the demo for an epoch; return its weights."""

    def run(name, *options, changes=()):
        work_dir = tmp_path / name
        args = ('--work-dir', work_dir, '--seed', 0, *options)
        tool('train.py', demo, *args, '--cfg-options', *SHORT, *changes)
        saved = torch.load(work_dir / 'epoch_1.pth', weights_only=False)
        return saved['state_dict']

    return run


@pytest.fixture
def model(tiny_model):
    return MODELS.build(tiny_model).eval()


@pytest.fixture
def frames():
    return torch.randn(2, 1, 3, 4, 32, 32)


def logits(model, frames):
    with torch.inference_mode():
        return model(frames, mode='tensor', stage='head').float().cpu()


def test_mixed_precision_learns_what_float32_does(train):
    whole, mixed = train('whole'), train('mixed', '--amp')
    for name, weight in whole.items():
        torch.testing.assert_close(mixed[name], weight, atol=1e-2, rtol=1e-1)


def test_deterministic_training_is_the_same_to_the_last_bit(train):
    fixed = ('randomness.deterministic=True',)
    once, again = (train(name, changes=fixed) for name in ('once', 'again'))
    for name, weight in once.items():
        assert torch.equal(again[name], weight), name


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_near_float32(model, frames, dtype):
    whole = logits(model, frames)
    half = logits(model.to('cuda', dtype), frames.to('cuda', dtype))
    torch.testing.assert_close(half, whole, atol=0.5, rtol=0)


def test_known_texts_follow_the_model_to_its_device(model, frames):
    first = logits(model, frames)  # texts are known from now on
    second = logits(model.cuda(), frames.cuda())
    torch.testing.assert_close(second, first, atol=1e-2, rtol=0)
    torch.testing.assert_close(logits(model.cpu(), frames), first)


def test_one_device_is_sharded_as_several_are(root, demo, shapes, command, tmp_path):
    config = tmp_path / 'sharded.py'
    strategy = root / 'configs/_base_/strategies/fsdp.py'
    wrapper = "optim_wrapper = dict(type='AutocastOptimWrapper')\n"
    config.write_text(f"_base_ = ['{demo}', '{strategy}']\n{wrapper}")
    train = (root / 'tools/train.py', config, '--launcher', 'pytorch')
    options = ('--work-dir', tmp_path / 'work', '--cfg-options', *SHORT)
    command('torchrun', '--standalone', '--nproc_per_node', 1, *train, *options)
    saved = torch.load(tmp_path / 'work/epoch_1.pth', weights_only=False)
    expected = MODELS.build(Config.fromfile(demo).model).state_dict()
    shapes = {name: weight.shape for name, weight in saved['state_dict'].items()}
    assert shapes == {name: weight.shape for name, weight in expected.items()}


def test_onnx_runs_on_the_gpu(model, tmp_path):
    onnxruntime = pytest.importorskip(
        'onnxruntime', reason='it is the extra mmxclip[onnx]'
    )
    pytest.importorskip('onnxscript', reason='it is the extra mmxclip[onnx]')
    if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
        pytest.skip('this onnxruntime is for the CPU: pip install onnxruntime-gpu')
    video = next(graphs_of(model))
    write_onnx(video, tmp_path / 'video.onnx', {})
    given = {name: x.numpy() for name, x in video.given(video.others).items()}
    outputs = [
        onnxruntime.InferenceSession(
            tmp_path / 'video.onnx', providers=[f'{kind}ExecutionProvider']
        ).run(None, given)
        for kind in ('CPU', 'CUDA')
    ]
    for ours, theirs in zip(*outputs, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-2)
