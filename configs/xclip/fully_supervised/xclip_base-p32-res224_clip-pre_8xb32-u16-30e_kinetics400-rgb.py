"""X-CLIP-B/32, 16 frames, Kinetics-400: 81.1 % top-1, 95.5 % top-5 published.

X-CLIP (ECCV 2022), released as k400_32_16; 4 clips x 3 crops, 75 GFLOPs a view.
Batch 256 = 8 GPUs x 32.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_base-p32.py',
    '../../_base_/datasets/kinetics400.py',
    '../../_base_/pipelines/u16-res224.py',
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
