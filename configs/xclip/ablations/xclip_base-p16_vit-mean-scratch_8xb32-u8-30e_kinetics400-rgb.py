"""Single modality: ViT on each frame, mean, linear head; 100 epochs from scratch."""

_base_ = './xclip_base-p16_cct-mit-scratch_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(
    backbone=dict(communication='none', out_type='pooled'),
    neck=None,
)
