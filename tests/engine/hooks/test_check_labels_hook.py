"""Labels are checked before a run starts, blended or not."""

import gc
import weakref

import numpy as np
import pytest
from mmaction.registry import MODELS
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmxclip.engine import CheckLabelsHook


class Listed(Dataset):
    """Samples as a list of videos gives them."""

    def __init__(self, *labels):
        self.labels = labels
        self.looks = 0

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        self.looks += 1
        label = self.labels[index]
        return dict(filename=f'{index}.mp4', label=label, ann_file='lists/some.txt')

    def __getitem__(self, index):
        raise AssertionError('a video was opened')


def runner(model, work_dir, *labels):
    loader = dict(
        dataset=Listed(*labels),
        sampler=dict(type='DefaultSampler', shuffle=False),
        batch_size=2,
        num_workers=0,
    )
    return Runner(
        model=MODELS.build(model),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        val_dataloader=loader,
        val_cfg={},
        val_evaluator=dict(type='AccMetric'),
        test_dataloader=loader,
        test_cfg={},
        test_evaluator=dict(type='AccMetric'),
        custom_hooks=[dict(type='CheckLabelsHook')],
        default_scope='mmaction',
        experiment_name=work_dir.name,
        log_level='ERROR',
    )


@pytest.mark.parametrize('call', ['train', 'val', 'test'])
def test_label_too_large(tiny_model, tmp_path, call):
    labels = (4, np.int64(5), 0)
    tiny_model['data_preprocessor']['blending'] = dict(
        type='MixupBlending', num_classes=5
    )
    with pytest.raises(ValueError, match=r'5 .*1\.mp4 .*lists/some\.txt.*0 to 4'):
        getattr(runner(tiny_model, tmp_path, *labels), call)()


@pytest.mark.parametrize('many', [False, True])
def test_labels_are_blended_for_the_classes_of_the_head(tiny_model, tmp_path, many):
    blending = dict(type='CutmixBlending', num_classes=4)
    if many:
        mixup = dict(type='MixupBlending', num_classes=5)
        blending = dict(type='RandomBatchAugment', augments=[mixup, blending])
    tiny_model['data_preprocessor']['blending'] = blending
    with pytest.raises(ValueError, match=r'CutmixBlending.* 4 .* 5'):
        runner(tiny_model, tmp_path, 4).train()


def test_validation_labels_are_looked_at_before_the_training(tiny_model, tmp_path):
    run = runner(tiny_model, tmp_path, 4)
    run._val_dataloader = dict(run._val_dataloader, dataset=Listed(9))
    with pytest.raises(ValueError, match='Label 9 of'):
        run.train()  # which opens no video


@pytest.mark.parametrize('call', ['train', 'val', 'test'])
def test_no_label(tiny_model, tmp_path, call):
    with pytest.raises(ValueError, match=r'0\.mp4 .*predict\.py'):
        getattr(runner(tiny_model, tmp_path, -1), call)()


def test_a_data_set_is_checked_once(tiny_model, tmp_path):
    run = runner(tiny_model, tmp_path, 4, 0)
    dataset = run.train_loop.dataloader.dataset
    hook = CheckLabelsHook()
    hook.before_train(run)
    hook.before_train(run)
    assert dataset.looks == 2
    run.model.cls_head.num_classes = 3
    with pytest.raises(ValueError, match='which has 3 names'):
        hook.before_train(run)


def test_checked_data_sets_are_not_kept(tiny_model, tmp_path):
    run = runner(tiny_model, tmp_path, 4, 0)
    hook = CheckLabelsHook()
    hook.before_train(run)
    dataset = weakref.ref(run.train_loop.dataloader.dataset)
    del run._train_dataloader, run._train_loop
    gc.collect()
    assert dataset() is None


def test_data_sets_without_a_list_are_left_alone(tiny_model, tmp_path):
    run = runner(tiny_model, tmp_path, 4)
    loader = run.build_dataloader(
        dict(dataset=[7], sampler=dict(type='DefaultSampler'), batch_size=1)
    )
    run._train_dataloader = loader
    CheckLabelsHook().before_train(run)
