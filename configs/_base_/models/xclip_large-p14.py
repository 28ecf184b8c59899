"""X-CLIP-L/14."""

_base_ = './xclip_base-p16.py'

model = dict(
    backbone=dict(arch='l/14', init_cfg=dict(checkpoint='ViT-L/14')),
    neck=dict(embed_dims=768),
    cls_head=dict(
        text_encoder=dict(arch='l/14'),
        prompt=dict(embed_dims=768, context_dims=1024),
        init_cfg=dict(checkpoint='ViT-L/14'),
    ),
)
