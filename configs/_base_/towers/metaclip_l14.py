"""Meta's MetaCLIP-L/14 on 2.5 billion pairs (CC BY-NC 4.0)."""

_base_ = './clip_pixels.py'

tower = dict(
    backbone=dict(
        activation='quick_gelu',
        init_cfg=dict(checkpoint='hf-hub:facebook/metaclip-l14-fullcc2.5b'),
    ),
    cls_head=dict(
        text_encoder=dict(activation='quick_gelu'),
        init_cfg=dict(checkpoint='hf-hub:facebook/metaclip-l14-fullcc2.5b'),
    ),
)
