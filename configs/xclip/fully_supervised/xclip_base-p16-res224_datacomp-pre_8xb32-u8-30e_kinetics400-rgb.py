"""X-CLIP-B/16 (DataComp), 8 frames, Kinetics-400.

Not trained by us. Starts from laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K (MIT licence).
The paper's recipe; batch 256 = 8 GPUs x 32.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_base-p16_datacomp.py',
    '../../_base_/datasets/kinetics400.py',
    '../../_base_/pipelines/u8-res224.py',
    '../../_base_/schedules/adamw_30e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(blending=_base_.blending),
    neck=dict(num_frames=_base_.num_frames),
    cls_head=dict(classes=_base_.classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
