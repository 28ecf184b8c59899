"""TSM-R50 as MMAction2 trains it (ImageNet-1k), without its data set."""

_base_ = []

from mmengine.hub import get_config

host = get_config(
    'mmaction::recognition/tsm/'
    'tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py'
)
model, train_cfg = host.model, host.train_cfg
optim_wrapper, param_scheduler = host.optim_wrapper, host.param_scheduler
auto_scale_lr = host.auto_scale_lr
# Our readers take archives, too, and survive a broken video.
train_pipeline, val_pipeline, test_pipeline = (
    [
        dict(type=step.type.replace('Decord', 'Video'))
        if 'Decord' in step.type
        else step
        for step in host[f'{part}_pipeline']
    ]
    for part in ('train', 'val', 'test')
)
del host
