"""X-CLIP-B/16, 16 frames, Kinetics-400: 84.7 % top-1, 96.8 % top-5 published.

X-CLIP (ECCV 2022), released as k400_16_16; 4 clips x 3 crops, 287 GFLOPs a view.
Batch 256 = 8 GPUs x 16 x 2 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_base-p16.py',
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
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(accumulative_counts=2)
auto_scale_lr = dict(base_batch_size=128)
