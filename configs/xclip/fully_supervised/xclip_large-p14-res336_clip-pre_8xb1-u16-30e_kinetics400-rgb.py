"""X-CLIP-L/14@336, 16 frames, Kinetics-400: 87.7 % top-1, 97.4 % top-5 published.

X-CLIP (ECCV 2022), released as k400_14_16_336; 4 clips x 3 crops, 3086 GFLOPs a view.
Batch 256 = 8 GPUs x 1 x 32 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_large-p14-res336.py',
    '../../_base_/datasets/kinetics400.py',
    '../../_base_/pipelines/u16-res336.py',
    '../../_base_/schedules/adamw_30e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(blending=_base_.blending),
    neck=dict(num_frames=_base_.num_frames),
    cls_head=dict(classes=_base_.classes),
)
train_dataloader = dict(batch_size=1, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(accumulative_counts=32)
auto_scale_lr = dict(base_batch_size=8)
