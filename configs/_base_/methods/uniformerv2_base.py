"""UniFormerV2-B/16 as MMAction2 trains it (CLIP), without its data set."""

_base_ = (
    'mmaction::recognition/uniformerv2/'
    'uniformerv2-base-p16-res224_clip_8xb32-u8_kinetics400-rgb.py'
)

# Data, evaluation and runtime come from our own bases.
for key in set(_base_) - {
    'model',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'train_pipeline',
    'val_pipeline',
    'test_pipeline',
}:
    _base_.pop(key)
del key
