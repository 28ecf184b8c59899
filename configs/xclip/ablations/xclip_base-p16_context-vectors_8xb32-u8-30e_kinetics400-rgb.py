"""X-CLIP with learned context vectors shared by all classes (CoOp) as prompts."""

_base_ = (
    '../fully_supervised/xclip_base-p16-res224_clip-pre_8xb32-u8-30e_kinetics400-rgb.py'
)

model = dict(
    neck=dict(context=None),
    cls_head=dict(prompt=dict(_delete_=True, type='ContextVectors', num_vectors=16)),
)
