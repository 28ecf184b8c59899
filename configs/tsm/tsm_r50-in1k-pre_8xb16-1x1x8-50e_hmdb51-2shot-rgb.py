"""TSM-R50, 2 videos per class of HMDB-51."""

_base_ = './tsm_r50-in1k-pre_8xb16-1x1x8-50e_hmdb51-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_2.txt'))
