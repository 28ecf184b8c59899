"""X-CLIP-L/14 (MetaCLIP), 8 frames, Kinetics-400.

Not trained by us. Starts from facebook/metaclip-l14-fullcc2.5b (CC BY-NC 4.0).
The paper's recipe; batch 256 = 8 GPUs x 8 x 4 steps of accumulation.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_large-p14_metaclip.py',
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
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(accumulative_counts=4)
auto_scale_lr = dict(base_batch_size=64)
