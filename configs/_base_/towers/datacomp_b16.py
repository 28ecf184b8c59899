"""CLIP-B/16 of LAION trained on DataComp-1B (MIT licence), with GELU.

MIT has GELU, too, so that Hugging Face's XCLIPConfig can hold the model.
"""

_base_ = './clip_pixels.py'

tower = dict(
    backbone=dict(
        activation='gelu',
        init_cfg=dict(checkpoint='hf-hub:laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K'),
    ),
    neck=dict(activation='gelu'),
    cls_head=dict(
        text_encoder=dict(activation='gelu'),
        init_cfg=dict(checkpoint='hf-hub:laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K'),
    ),
)
