"""X-CLIP-B/16 from Apple's CLIP trained on DFN-2B (Apple's research licence)."""

_base_ = './xclip_base-p16_clip-pixels.py'

model = dict(
    backbone=dict(
        activation='quick_gelu',
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
    cls_head=dict(
        text_encoder=dict(activation='quick_gelu'),
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
)
