"""What a run refuses: half a model to test, weights alone to resume."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.runner import EpochBasedTrainLoop
from runs import make_runner
from torch.utils.data import DataLoader

from mmxclip.checkpoints.report import CheckpointError
from mmxclip.checkpoints.save import write

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('closed_logs')]


@pytest.mark.parametrize('layout', ['official', 'huggingface', 'openai-clip', 'ours'])
@pytest.mark.parametrize('meta', [dict(cfg=''), 'no dict'])
def test_weights_alone_are_not_resumed(tmp_path, tiny_model, weights, layout, meta):
    path = tmp_path / 'weights'
    if layout == 'ours':
        torch.save(dict(state_dict=weights, meta=meta), path)
    else:
        write(path, weights, layout)
    runner = make_runner(tmp_path, tiny_model, path, resume=True)
    runner.call_hook('before_run')
    with pytest.raises(CheckpointError, match='not resume'):
        runner.load_or_resume()
    runner._has_loaded = True  # as behind the resumption: what comes then is free
    runner._train_loop = EpochBasedTrainLoop(runner, DataLoader([0]), max_epochs=1)
    runner.load_checkpoint(runner._load_from)


@pytest.fixture
def score(tmp_path, tiny_model):
    """Test or validate a checkpoint, untrained; returns the metrics."""

    def score(path, loop='test', **changes):
        video = torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8)
        samples = [dict(inputs=video, data_samples=ActionDataSample().set_gt_label(0))]
        data = DataLoader(samples, collate_fn=pseudo_collate)
        loops = {
            f'{loop}_dataloader': data,
            f'{loop}_cfg': dict(type=f'{loop.title()}Loop'),
            f'{loop}_evaluator': dict(type='AccMetric'),
        }
        runner = make_runner(tmp_path, {**tiny_model, **changes}, path, **loops)
        return getattr(runner, loop)()

    return score


@pytest.mark.parametrize('loop', ['test', 'val'])
def test_half_a_model_gets_no_score(tmp_path, score, weights, clip, loop):
    part = {n: t for n, t in weights.items() if n.startswith('backbone.')}
    torch.save(part, tmp_path / 'part.pth')
    for name, first in (('clip', 'backbone.resblocks.0.message_'), ('part', 'neck.')):
        with pytest.raises(CheckpointError, match=rf'lacks \d+ .* first {first}'):
            score(tmp_path / f'{name}.pth', loop)
    parallel = {f'module.{name}': tensor for name, tensor in weights.items()}
    for name, whole in (('whole', weights), ('parallel', parallel)):
        torch.save({'state_dict': whole}, tmp_path / f'{name}.pth')
        assert 'acc/top1' in score(tmp_path / f'{name}.pth', loop)


def test_clip_is_scored_where_nothing_is_new(score, clip, tiny_model):
    backbone = dict(tiny_model['backbone'], communication='none', out_type='pooled')
    head = dict(tiny_model['cls_head'], prompt=None)
    metrics = score(clip, backbone=backbone, neck=None, cls_head=head)
    assert 'acc/top1' in metrics
