"""X-CLIP with nothing frozen: the text tower learns, too."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(cls_head=dict(text_encoder=dict(frozen=False)))
