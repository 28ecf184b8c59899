"""Vision tower from an ImageNet ViT, one-hot labels: a linear head, no text."""

_base_ = './xclip_base-p16_imagenet-pre_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(
    neck=dict(context=None),
    cls_head=dict(
        _delete_=True,
        type='TimeSformerHead',
        num_classes=_base_.num_classes,
        in_channels=512,
        label_smooth_eps=0.1,
        average_clips='prob',
    ),
)
