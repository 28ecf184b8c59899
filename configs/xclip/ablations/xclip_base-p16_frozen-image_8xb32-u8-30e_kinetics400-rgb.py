"""X-CLIP with the image tower frozen and the text tower trained."""

_base_ = './xclip_base-p16_frozen-nothing_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(backbone=dict(frozen='pretrained'))
