"""UCF-101, first training and test split."""

_base_ = './video_list.py'

classes = 'ucf101'
num_classes = 101
blending = dict(
    augments=[dict(mix, num_classes=num_classes) for mix in _base_.blending.augments]
)
data_root = 'data/ucf101'
train_dataloader = dict(dataset=dict(data_root=data_root, ann_file='lists/train1.txt'))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='lists/val1.txt'))
test_dataloader = val_dataloader
