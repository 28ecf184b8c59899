"""X-CLIP with both towers frozen: messages, MIT and prompt learn."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(backbone=dict(frozen='pretrained'))
