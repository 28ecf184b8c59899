"""X-CLIP-L/14 on 336 pixels; recomputes activations to fit into memory."""

_base_ = './xclip_large-p14.py'

model = dict(
    backbone=dict(
        arch='l/14@336', with_cp=True, init_cfg=dict(checkpoint='ViT-L/14@336px')
    ),
    cls_head=dict(
        text_encoder=dict(arch='l/14@336'),
        init_cfg=dict(checkpoint='ViT-L/14@336px'),
    ),
)
