"""X-CLIP without prompts: 16 sentences around the names, averaged in testing."""

_base_ = './xclip_base-p16_cct-mit_8xb32-u8-30e_kinetics400-rgb.py'

model = dict(cls_head=dict(templates='action16'))
