"""Video Swin-B, 4 videos per class of UCF-101."""

_base_ = './swin-base-p244-w877_in21k-pre_8xb8-amp-32x2x1-30e_ucf101-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_4.txt'))
