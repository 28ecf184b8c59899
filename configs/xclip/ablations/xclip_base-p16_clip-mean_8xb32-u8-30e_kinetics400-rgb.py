"""CLIP-Mean: CLIP on each frame, mean of the frame embeddings."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    backbone=dict(communication='none', out_type='pooled'),
    neck=None,
    cls_head=dict(prompt=None),
)
