"""TimeSformer (joint) as MMAction2 trains it, without its data set."""

_base_ = (
    'mmaction::recognition/timesformer/'
    'timesformer_jointST_8xb8-8x32x1-15e_kinetics400-rgb.py'
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
