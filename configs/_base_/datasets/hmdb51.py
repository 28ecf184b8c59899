"""HMDB-51, first training and test split."""

_base_ = './video_list.py'

classes = 'hmdb51'
num_classes = 51
blending = dict(
    augments=[dict(mix, num_classes=num_classes) for mix in _base_.blending.augments]
)
data_root = 'data/hmdb51'
train_dataloader = dict(dataset=dict(data_root=data_root, ann_file='lists/train1.txt'))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='lists/val1.txt'))
test_dataloader = val_dataloader
