"""Video Swin-B as MMAction2 trains it, from ImageNet-21k, without its data set."""

_base_ = []

from mmengine.hub import get_config

host = get_config(
    'mmaction::recognition/swin/'
    'swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py'
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
model.backbone.pretrained = (
    'https://github.com/SwinTransformer/storage/releases/download/'
    'v1.0.0/swin_base_patch4_window7_224_22k.pth'
)
del host
