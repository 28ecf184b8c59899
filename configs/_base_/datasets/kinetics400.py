"""Kinetics-400."""

_base_ = './video_list.py'

classes = 'kinetics400'
num_classes = 400
blending = dict(
    augments=[dict(mix, num_classes=num_classes) for mix in _base_.blending.augments]
)
data_root = 'data/kinetics400'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
