"""Single modality: X-CLIP's CCT + MIT, linear head; 100 epochs from scratch."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    backbone=dict(init_cfg=None),
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
optim_wrapper = dict(
    optimizer=dict(lr=1e-4),
    paramwise_cfg=dict(_delete_=True, no_decay=['positional_embedding']),
)
train_cfg = dict(max_epochs=100)
