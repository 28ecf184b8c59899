"""Lists of several labels a line: the recipe trains and is measured, others refuse."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.runner import Runner

from mmxclip.datasets.shape_actions import Plan, make_data_set

NAME = 'xclip_tiny-p8-res32_1xb16-u8-8e_shape-attributes-rgb'


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Clips with three labels each."""
    folder = tmp_path_factory.mktemp('data') / 'shapes'
    plan = Plan(train=96, val=32, labels='attributes')
    make_data_set(folder, plan, workers=2)
    return folder


@pytest.fixture
def recipe(root, data, tmp_path):
    """The recipe for few clips."""
    cfg = Config.fromfile(root / f'configs/xclip/demo/{NAME}.py')
    for kind in ('train', 'val', 'test'):
        loader = cfg[f'{kind}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data)
    cfg.work_dir = str(tmp_path / 'work')
    cfg.train_cfg.update(max_epochs=8, val_interval=8)
    return cfg


@pytest.mark.slow
def test_the_recipe_names_the_classes_of_the_data(recipe, data):
    assert recipe.classes == (data / 'classes.txt').read_text().splitlines()
    lines = (data / 'train.txt').read_text().splitlines()
    labels = [[int(n) for n in line.split()[1:]] for line in lines]
    assert all(len(row) == len({*row}) == 3 for row in labels)
    assert {n for row in labels for n in row} == set(range(18))


@pytest.mark.slow
def test_the_recipe_learns_and_is_measured(recipe):
    runner = Runner.from_cfg(recipe)
    before = runner.test()['acc/mean_average_precision']
    recipe.experiment_name = 'train'
    runner = Runner.from_cfg(recipe)
    runner.train()
    metrics = runner.val_loop.run()
    assert metrics['acc/mean_average_precision'] > max(before, 3 / 18)
    assert metrics['acc/num_videos'] == 32


@pytest.mark.slow
@pytest.mark.parametrize('change', ['head', 'data'])
def test_one_label_and_several_are_not_mixed(recipe, data, tmp_path, change):
    if change == 'head':
        recipe.model.cls_head = dict(
            {**recipe.model.cls_head, 'type': 'XCLIPHead'}, logit_bias=None
        )
        recipe.model.cls_head.pop('logit_bias')
    else:
        text = re.sub(r'(\d+) \d+ \d+\n', r'\1\n', (data / 'train.txt').read_text())
        (tmp_path / 'train.txt').write_text(text)
        recipe.train_dataloader.dataset.update(
            data_root=str(tmp_path), multi_class=False, num_classes=None
        )
    runner = Runner.from_cfg(recipe)
    with pytest.raises(ValueError, match=r'train\.txt .*MultiLabelHead'):
        runner.train()


@pytest.fixture
def head(tiny_model):
    torch.manual_seed(0)
    return MODELS.build(tiny_model['cls_head'] | dict(type='MultiLabelHead'))


def sample(*labels):
    return ActionDataSample().set_gt_label(torch.tensor(labels))


def test_the_loss_is_that_of_every_class_by_itself(head):
    logits = torch.randn(2, 5) + 25
    labels = [sample(1, 0, 1, 0, 0), sample(0, 0, 0, 1, 1)]
    loss = head.loss_by_feat(logits, labels)['loss_cls']
    right = torch.tensor([[1, 0, 1, 0, 0], [0, 0, 0, 1, 1]]).bool()
    probabilities = (logits - 25).sigmoid()
    chosen = torch.where(right, probabilities, 1 - probabilities)
    torch.testing.assert_close(loss, -chosen.log().mean())
    with pytest.raises(ValueError, match='num_classes=5'):
        head.loss_by_feat(logits, [sample(1), sample(0)])


def test_scores_are_probabilities_averaged_over_views(head):
    logits = torch.randn(6, 5) + 25
    scores = head.predict_by_feat(logits, [sample(0), sample(0)])
    given = torch.stack([one.pred_score for one in scores])
    expected = (logits - 25).sigmoid().view(2, 3, 5).mean(dim=1)
    torch.testing.assert_close(given, expected)
