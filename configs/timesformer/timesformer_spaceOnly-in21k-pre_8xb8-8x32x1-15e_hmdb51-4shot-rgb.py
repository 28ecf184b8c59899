"""TimeSformer, space-only attention, 4 videos per class of HMDB-51."""

_base_ = './timesformer_spaceOnly-in21k-pre_8xb8-8x32x1-15e_hmdb51-rgb.py'

train_dataloader = dict(dataset=dict(ann_file='lists/train1_few_shot_4.txt'))
