"""Something-Something v2."""

_base_ = './video_list.py'

classes = 'ssv2'
num_classes = 174
blending = dict(
    augments=[dict(mix, num_classes=num_classes) for mix in _base_.blending.augments]
)
data_root = 'data/ssv2'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
