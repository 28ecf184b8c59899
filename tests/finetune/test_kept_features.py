"""Fine-tuning where both towers rest: a video is seen by the backbone once."""

import re

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmxclip.checkpoints.load import load
from mmxclip.evaluation.dumped_scores import load_samples
from mmxclip.finetune.kept_features import KeptFeatures


@pytest.fixture(scope='module')
def done(tool, demo, draw_video, tmp_path_factory):
    """The config of a fine-tuning, its start and its end, and what was printed."""
    root = tmp_path_factory.mktemp('prompt')
    for motion in ('moving left', 'growing'):
        (root / 'clips' / motion).mkdir(parents=True)
        for seed in range(3):
            draw_video(root / f'clips/{motion}/{seed}.mp4', motion, seed=seed)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(demo).model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), root / 'start.pth')
    options = ['--config', demo, '--checkpoint', root / 'start.pth', '--epochs', 2]
    options += ['--tune', 'prompt', '--work-dir', root / 'work', '--workers', 0]
    printed = tool('finetune.py', root / 'clips', *options)
    whole = torch.load(root / 'work/fine_tuned.pth')['state_dict']
    return root / 'work', model.state_dict(), whole, printed


def test_only_what_follows_the_towers_learns(done):
    _, start, whole, _ = done
    changed = {name for name in start if not torch.equal(start[name], whole[name])}
    assert {name.split('.')[0] for name in changed} == {'neck', 'cls_head'}
    assert any('prompt' in name for name in changed)
    assert not any('text_encoder' in name for name in changed)


def test_features_are_those_of_the_videos(done):
    work_dir, *_ = done
    cfg = Config.fromfile(work_dir / 'config.py')
    model = MODELS.build(cfg.model).eval()
    load(model, work_dir / 'fine_tuned.pth')
    ann_file = cfg.train_dataloader.dataset.ann_file
    dataset = DATASETS.build(dict(cfg.val_dataloader.dataset, ann_file=ann_file))
    data = model.data_preprocessor(pseudo_collate([dataset[1]]), False)
    with torch.no_grad():
        tokens = model.backbone(data['inputs'].flatten(0, 1))
    path = dataset.get_data_info(1)['filename'].partition('/clips/')[2]
    kept = torch.from_numpy(np.load(work_dir / f'features/{path}.npy')).float()
    parts = KeptFeatures([part.shape[1:] for part in tokens])(kept[None])
    for part, true in zip(parts, tokens, strict=True):
        torch.testing.assert_close(part, true, rtol=1e-3, atol=1e-2)


def test_the_whole_model_is_tested_and_goes_on(done, tool):
    work_dir, _, _, printed = done
    assert (work_dir / 'report/per_class.csv').is_file()
    (args,) = re.findall(r'^python tools/train.py (.+)', printed, re.MULTILINE)
    tool('train.py', *args.split(), 'train_cfg.max_epochs=1')
    assert (work_dir / 'training/epoch_1.pth').is_file()


def test_shots_are_trained_and_tested_on_features(done, tool, demo, tmp_path):
    clips = done[0].parent / 'clips'
    options = ['--config', demo, '--checkpoint', clips.parent / 'start.pth']
    options += ['--tune', 'prompt', '--work-dir', tmp_path, '--workers', 0]
    options += ['--shots', 1, '--seeds', 2, '--epochs', 1]
    printed = tool('finetune.py', clips, *options)
    assert '±' in printed
    found = [load_samples(path) for path in (tmp_path / '1_shots').rglob('scores.pkl')]
    assert [len(samples) for samples in found] == [2, 2]
    assert len(list((tmp_path / 'features').rglob('*.npy'))) == 6
    cfg = Config.fromfile(tmp_path / 'config.py')
    model = MODELS.build(cfg.model)
    load(model, clips.parent / 'start.pth')
    trained = torch.load(next((tmp_path / '1_shots').rglob('*_s0/train/epoch_1.pth')))
    model.load_state_dict(model.state_dict() | trained['state_dict'])
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    (whole,) = model.test_step(pseudo_collate([dataset[0]]))
    (scores,) = (tmp_path / '1_shots').rglob('*_s0/test-val/scores.pkl')
    kept = load_samples(scores)[0]['pred_score']
    torch.testing.assert_close(kept, whole.pred_score, atol=2e-3, rtol=0)
    assert 'Epoch(train)' not in tool('finetune.py', clips, *options)
