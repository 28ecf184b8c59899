"""X-CLIP whose class texts say, in testing, what CLIP sees in the frames."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    neck=dict(context='frame_embeds'),
    cls_head=dict(prompt=dict(_delete_=True, type='ContentPrompt')),
)
