"""TimeSformer, joint space-time attention on Kinetics-400.

MMAction2's own hyper-parameters (SGD, 15 epochs, test with 3 crops); 8 GPUs x 8.

    bash tools/dist_train.sh CONFIG 8
"""

_base_ = [
    '../_base_/methods/timesformer_joint.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/default_runtime.py',
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
