"""Kinetics-600."""

_base_ = './video_list.py'

classes = 'kinetics600'
num_classes = 600
blending = dict(
    augments=[dict(mix, num_classes=num_classes) for mix in _base_.blending.augments]
)
data_root = 'data/kinetics600'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
