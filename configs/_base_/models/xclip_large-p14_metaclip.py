"""X-CLIP-L/14 from Meta's MetaCLIP on 2.5 billion pairs (CC BY-NC 4.0)."""

_base_ = './xclip_base-p16_clip-pixels.py'

model = dict(
    backbone=dict(
        arch='l/14',
        activation='quick_gelu',
        init_cfg=dict(checkpoint='hf-hub:facebook/metaclip-l14-fullcc2.5b'),
    ),
    neck=dict(embed_dims=768),
    cls_head=dict(
        text_encoder=dict(arch='l/14', activation='quick_gelu'),
        prompt=dict(embed_dims=768, context_dims=1024),
        init_cfg=dict(checkpoint='hf-hub:facebook/metaclip-l14-fullcc2.5b'),
    ),
)
