"""Dense sampling: 8 frames, every eighth, of one stretch (X-CLIP: of 8 segments)."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

train_pipeline = [
    dict(type='SampleFrames', clip_len=8, frame_interval=8, num_clips=1)
    if 'num_frames' in step
    else step
    for step in _base_.train_pipeline
]
val_pipeline = [
    dict(type='SampleFrames', clip_len=8, frame_interval=8, num_clips=1, test_mode=True)
    if 'num_frames' in step
    else step
    for step in _base_.val_pipeline
]
test_pipeline = [
    dict(type='SampleFrames', clip_len=8, frame_interval=8, num_clips=4, test_mode=True)
    if 'num_frames' in step
    else step
    for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
