"""X-CLIP-B/32."""

_base_ = './xclip_base-p16.py'

model = dict(
    backbone=dict(arch='b/32', init_cfg=dict(checkpoint='ViT-B/32')),
    cls_head=dict(text_encoder=dict(arch='b/32'), init_cfg=dict(checkpoint='ViT-B/32')),
)
