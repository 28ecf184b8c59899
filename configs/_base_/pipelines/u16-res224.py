"""The recipe's pipelines with 16 frames."""

_base_ = './u8-res224.py'

num_frames = 16
train_pipeline, val_pipeline, test_pipeline = (
    [
        dict(step, num_frames=num_frames) if 'num_frames' in step else step
        for step in steps
    ]
    for steps in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline)
)
