"""Configs and weights that an inferencer is made of."""

import pytest
import torch
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.apis.inferencers import ActionRecogInferencer, MMAction2Inferencer
from mmengine.config import Config

from mmxclip.checkpoints.save import write
from mmxclip.inference import XCLIPInferencer


def test_the_config_stored_in_a_checkpoint_serves(config_file, checkpoint, videos):
    stored = torch.load(checkpoint, weights_only=True)
    stored['meta'] = dict(cfg=Config.fromfile(config_file).pretty_text)
    torch.save(stored, checkpoint)
    without = XCLIPInferencer(None, checkpoint, device='cpu')
    with_config = XCLIPInferencer(config_file, checkpoint, device=torch.device('cpu'))
    assert without(videos[0])['predictions'] == with_config(videos[0])['predictions']


def test_a_stored_config_that_cannot_test_is_told(config_file, checkpoint):
    config = Config.fromfile(config_file)
    config.test_dataloader = None  # as the protocols' trainings store it
    stored = torch.load(checkpoint, weights_only=True)
    torch.save(stored | dict(meta=dict(cfg=config.pretty_text)), checkpoint)
    with pytest.raises(ValueError, match=r'model.*pipeline'):
        XCLIPInferencer(None, checkpoint, device='cpu')


def test_missing_files_are_named(config_file, checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'config .*gone.py'):
        XCLIPInferencer(tmp_path / 'gone.py', checkpoint)
    with pytest.raises(FileNotFoundError, match=r'gone\.pth'):
        XCLIPInferencer(config_file, tmp_path / 'gone.pth')


def test_a_checkpoint_of_another_model_is_refused(config_file, checkpoint):
    cfg = Config.fromfile(config_file)
    cfg.model.backbone.arch.depth = 1
    with pytest.raises(ValueError, match=r'tiny\.pth.* 2 layers'):
        XCLIPInferencer(cfg, checkpoint, device='cpu')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    torch.save({k: v for k, v in weights.items() if 'neck' not in k}, checkpoint)
    with pytest.raises(ValueError, match=r'tiny\.pth.*neck\.'):
        XCLIPInferencer(config_file, checkpoint, device='cpu')


def test_the_hosts_own_interfaces_take_our_configs(config_file, checkpoint, videos):
    path, weights = str(config_file), str(checkpoint)
    model = init_recognizer(path, weights, device='cpu')
    ours = XCLIPInferencer(path, weights, device='cpu')(videos[0])['predictions'][0]
    result = inference_recognizer(model, videos[0])
    assert result.pred_score.tolist() == pytest.approx(ours['pred_scores'], abs=1e-6)

    host = ActionRecogInferencer(path, weights, device='cpu')
    scores = host(videos[0])['predictions'][0]['pred_scores']
    assert len(scores) == 5  # classes
    whole = MMAction2Inferencer(rec=path, rec_weights=weights, device='cpu')
    assert whole(videos[0])['predictions'][0]['rec_scores'][0] == scores


def test_a_released_checkpoint_serves_as_it_is(config_file, checkpoint, videos):
    ours = XCLIPInferencer(config_file, checkpoint, device='cpu')
    expected = ours(videos[0])['predictions'][0]['pred_scores']
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    write(checkpoint, weights, 'official', force=True)
    official = XCLIPInferencer(config_file, checkpoint, device='cpu')
    got = official(videos[0])['predictions'][0]['pred_scores']
    assert got == pytest.approx(expected, abs=1e-6)
