"""A video that cannot be decoded gets no label, whoever reads it."""

import pytest
import torch
from mmaction.apis import inference_recognizer
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.evaluator import Evaluator

import mmxclip  # noqa: F401 (registers)
from mmxclip.datasets import VideoError


@pytest.fixture(params=['noise', 'cut', 'empty'])
def bad(request, bad_videos):
    return bad_videos[request.param]


@pytest.fixture
def test_pipeline(root):
    cfg = Config.fromfile(root / 'configs/_base_/pipelines/u8-res224.py')
    return cfg.test_pipeline


def make_dataset(kind, bad, pipeline, **kwargs):
    path = bad.with_name('list.txt')
    path.write_text(f'{bad.name} 0\n')
    return DATASETS.build(
        dict(
            type=kind,
            ann_file=str(path),
            data_prefix=dict(video=str(bad.parent)),
            pipeline=pipeline,
            **kwargs,
        )
    )


def test_the_hosts_own_inference_ends_with_its_name(bad, test_pipeline):
    model = torch.nn.Module()
    model.cfg = Config(dict(test_pipeline=test_pipeline))
    with pytest.raises(VideoError, match=str(bad)):
        inference_recognizer(model, str(bad))


@pytest.mark.slow
@pytest.mark.parametrize('test_mode', [True, False])
def test_the_hosts_own_data_set_ends_with_its_name(bad, test_pipeline, test_mode):
    dataset = make_dataset('VideoDataset', bad, test_pipeline, test_mode=test_mode)
    with pytest.raises(VideoError, match=str(bad)):
        dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['AccMetric', 'ConfusionMatrix'])
def test_metrics_that_do_not_look_end_with_its_name(kind, bad, test_pipeline):
    sample = make_dataset('VideoListDataset', bad, test_pipeline, test_mode=True)[0]
    sample['data_samples'].set_pred_score(torch.tensor([0.55, 0.45]))
    with pytest.raises(VideoError, match=f'{bad}.*VideoAccMetric'):
        Evaluator(dict(type=kind)).offline_evaluate([sample['data_samples']])


@pytest.mark.slow
def test_metrics_that_look_count_it_as_wrong(bad, test_pipeline, tmp_path):
    sample = make_dataset('VideoListDataset', bad, test_pipeline, test_mode=True)[0]
    sample['data_samples'].set_pred_score(torch.tensor([0.55, 0.45]))
    metrics = [dict(type='VideoAccMetric'), dict(type='ClassReport', out_dir=tmp_path)]
    result = Evaluator(metrics).offline_evaluate([sample['data_samples']])
    assert result['acc/top1'] == result['classes/worst'] == 0
    assert result['acc/undecodable'] == 1
