"""Video-specific prompt of depth 3 (X-CLIP: 2)."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(cls_head=dict(prompt=dict(depth=3)))
