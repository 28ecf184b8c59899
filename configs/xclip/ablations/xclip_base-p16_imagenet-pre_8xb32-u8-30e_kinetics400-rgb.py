"""X-CLIP whose vision tower starts from an ImageNet ViT; CLIP's text tower."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='https://download.openmmlab.com/mmclassification/v0/vit/'
            'finetune/vit-base-p16_in21k-pre-3rdparty_ft-64xb64_in1k-384_20210928-'
            '98e8652b.pth'
        )
    )
)
