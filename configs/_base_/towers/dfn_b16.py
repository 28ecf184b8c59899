"""Apple's CLIP-B/16 trained on DFN-2B (Apple's research licence), with GELU.

Its L/14 and H/14 have QuickGELU: open_clip lists them as such, and this one not
(docs/openclip_results.csv). MIT has GELU, too, as for DataComp.
"""

_base_ = './clip_pixels.py'

tower = dict(
    backbone=dict(
        activation='gelu',
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
    neck=dict(activation='gelu'),
    cls_head=dict(
        text_encoder=dict(activation='gelu'),
        init_cfg=dict(checkpoint='hf-hub:apple/DFN2B-CLIP-ViT-B-16'),
    ),
)
