"""TSM-R50 on Kinetics-400.

MMAction2's own hyper-parameters (SGD, 50 epochs, test with ten crops); 8 GPUs x 16.

    bash tools/dist_train.sh CONFIG 8
"""

_base_ = [
    '../_base_/methods/tsm_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/default_runtime.py',
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
