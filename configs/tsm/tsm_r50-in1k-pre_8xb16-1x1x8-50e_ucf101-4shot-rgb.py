"""TSM-R50, 4 videos per class of UCF-101."""

_base_ = './tsm_r50-in1k-pre_8xb16-1x1x8-50e_ucf101-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_4.txt'))
