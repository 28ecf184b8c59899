"""Video Swin-B as MMAction2 trains it, from ImageNet-21k, without its data set."""

_base_ = (
    'mmaction::recognition/swin/'
    'swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py'
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
# Our readers take archives, too, and a broken video does not stop them; same frames.
for part in ('train', 'val', 'test'):
    for step in _base_[f'{part}_pipeline']:
        if step['type'] in ('DecordInit', 'DecordDecode'):
            step.pop('io_backend', None)
            step.update(type=f'Safe{step["type"]}', test_mode=part != 'train')
del key, part, step

model = dict(
    backbone=dict(
        pretrained='https://github.com/SwinTransformer/storage/releases/download/'
        'v1.0.0/swin_base_patch4_window7_224_22k.pth'
    )
)
