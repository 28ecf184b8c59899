"""X-Florence's shape: Swin-B of MMPretrain on each frame, MIT of four layers.

Needs mmpretrain and the torchvision that belongs to your torch. Swin's own weights
stand in for Florence's, which were not released.
"""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    backbone=dict(
        _delete_=True,
        type='FrameEncoder',
        backbone=dict(
            type='mmpretrain.SwinTransformer',
            arch='base',
            img_size=224,
            drop_path_rate=0.3,
            init_cfg=dict(
                type='Pretrained',
                checkpoint='https://download.openmmlab.com/mmclassification/v0/'
                'swin-transformer/swin_base_224_b16x64_300e_imagenet_20210616_190742-'
                '93230b0d.pth',
                prefix='backbone',
            ),
        ),
        in_channels=1024,
        out_dims=512,
    ),
    neck=dict(depth=4),
    cls_head=dict(prompt=dict(context_dims=1024)),
)
