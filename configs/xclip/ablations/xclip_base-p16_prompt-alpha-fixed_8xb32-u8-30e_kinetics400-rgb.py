"""Video-specific prompt whose weight alpha stays 0.1 (X-CLIP: learned)."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(cls_head=dict(prompt=dict(learn_alpha=False)))
