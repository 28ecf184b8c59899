"""CLIP-One: one random frame; the middle one in testing."""

_base_ = './xclip_base-p16_clip-mean_8xb32-u8-30e_kinetics400-rgb.py'

train_pipeline = [
    dict(step, num_frames=1) if 'num_frames' in step else step
    for step in _base_.train_pipeline
]
val_pipeline = [
    dict(step, num_frames=1) if 'num_frames' in step else step
    for step in _base_.val_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=val_pipeline))
