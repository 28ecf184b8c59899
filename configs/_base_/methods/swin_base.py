"""Video Swin-B as MMAction2 trains it, from ImageNet-21k, without its data set."""

_base_ = (
    'mmaction::recognition/swin/'
    'swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py'
)

from mmxclip.benchmarks.host_method import keep_method

keep_method(_base_)

model = dict(
    backbone=dict(
        pretrained='https://github.com/SwinTransformer/storage/releases/download/'
        'v1.0.0/swin_base_patch4_window7_224_22k.pth'
    )
)
