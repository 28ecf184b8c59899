"""The config of a data set of two classes."""

CONFIG = """
model = dict(cls_head=dict(classes={classes!r}))
pipeline = [dict(type='VideoInit'), dict(type='VideoDecode')]
dataset = dict(type='VideoListDataset', data_root={root!r}, pipeline=pipeline,
               data_prefix=dict(video='videos'))
train_dataloader = dict(dataset=dict(dataset, ann_file='lists/train.txt'))
val_dataloader = dict(dataset=dict(dataset, ann_file='lists/val.txt'))
test_dataloader = val_dataloader
"""
