"""X-CLIP without prompts: one sentence around the names."""

_base_ = './xclip_base-p16_cct-mit_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(cls_head=dict(templates='A video of {}'))
