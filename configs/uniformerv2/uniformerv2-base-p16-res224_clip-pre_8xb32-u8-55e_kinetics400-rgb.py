"""UniFormerV2-B/16 on Kinetics-400.

MMAction2's own hyper-parameters (AdamW, 55 epochs, test 4 clips x 3 crops;
PytorchVideo's RandAugment needs pytorchvideo); 8 GPUs x 32.

    bash tools/dist_train.sh CONFIG 8
"""

_base_ = [
    '../_base_/methods/uniformerv2_base.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/default_runtime.py',
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
