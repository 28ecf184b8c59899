"""Training spread over two processes, by MMEngine's FSDP strategy."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from mmxclip.checkpoints.save import export
from mmxclip.engine import ShardedRecognizer

GROUP = re.compile(r'Optimizer group .*')
NORM = re.compile(r'grad_norm: ([0-9.]+)')


@pytest.mark.usefixtures('shapes')
@pytest.mark.skipif(torch.cuda.is_available(), reason='two processes share a GPU')
def test_sharded_training_is_training(root, demo, two_processes, tmp_path):
    weights, groups, norms = [], [], []
    model = MODELS.build(Config.fromfile(demo).model)
    clip, _ = export(model.state_dict(), 'openai-clip')
    torch.save(clip, tmp_path / 'clip.pth')
    for name in ('sharded', 'whole'):
        config = tmp_path / f'{name}.py'
        bases = [str(demo)]
        if name == 'sharded':
            bases.append(str(root / 'configs/_base_/strategies/fsdp.py'))
        config.write_text(
            f'_base_ = {bases}\n'
            'train_cfg = dict(max_epochs=1, val_interval=1)\n'
            'train_dataloader = dict(batch_size=1)\n'
            f"load_from = '{tmp_path}/clip.pth'\n"
            'optim_wrapper = dict(\n'
            '    clip_grad=dict(max_norm=1.0), accumulative_counts=2\n'
            ')\n'
            'default_hooks = dict(checkpoint=dict(interval=1))\n'
        )
        options = ('--work-dir', tmp_path / name, '--seed', 0)
        log, _ = two_processes('train.py', config, *options)
        groups.append(GROUP.findall(log))
        norms.append([float(norm) for norm in NORM.findall(log)])
        checkpoint = torch.load(tmp_path / name / 'epoch_1.pth', weights_only=False)
        weights.append(checkpoint['state_dict'])
    assert groups[0] == groups[1]
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)
    assert norms[0]
    assert weights[0].keys() == weights[1].keys()
    for key, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][key], atol=1e-4, rtol=1e-3)


def test_scalars_cannot_be_sharded(tiny_model):
    tiny_model['cls_head']['text_encoder']['frozen'] = False
    with pytest.raises(ValueError, match=r'cls_head\.logit_scale'):
        ShardedRecognizer(MODELS.build(tiny_model))
