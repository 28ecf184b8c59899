"""TimeSformer, space-only attention, 8 videos per class of HMDB-51."""

_base_ = './timesformer_spaceOnly-in21k-pre_8xb8-8x32x1-15e_hmdb51-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_8.txt'))
