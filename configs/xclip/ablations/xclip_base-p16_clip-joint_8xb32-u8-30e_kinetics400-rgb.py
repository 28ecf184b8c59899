"""CLIP-Joint: joint attention over all tokens of all frames, then the mean."""

_base_ = './xclip_base-p16_clip-mean_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(backbone=dict(communication='joint'))
