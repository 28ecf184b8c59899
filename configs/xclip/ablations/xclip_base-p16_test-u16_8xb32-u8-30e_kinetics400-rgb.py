"""Tested with 16 frames, trained with 8: MIT interpolates its positions."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

test_pipeline = [
    dict(step, num_frames=16) if 'num_frames' in step else step
    for step in _base_.test_pipeline
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
