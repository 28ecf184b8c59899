"""Apple's CLIP-B/16 trained on DFN-2B (Apple's research licence)."""

_base_ = './clip_pixels.py'

tower = dict(
    backbone=dict(
        activation='quick_gelu',
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
    cls_head=dict(
        text_encoder=dict(activation='quick_gelu'),
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
)
