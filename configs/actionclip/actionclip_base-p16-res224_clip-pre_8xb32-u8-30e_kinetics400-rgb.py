"""ActionCLIP's shape: CLIP on each frame, a temporal transformer of six layers.

The 16 sentences around the names; our head, recipe and frozen text tower.
"""

_base_ = (
    '../xclip/fully_supervised/'
    'xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    backbone=dict(communication='none'),
    neck=dict(depth=6, context=None),
    cls_head=dict(prompt=None, templates='action16'),
)
