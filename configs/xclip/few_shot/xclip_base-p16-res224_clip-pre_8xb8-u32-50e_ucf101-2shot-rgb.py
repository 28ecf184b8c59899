"""X-CLIP-B/16, 32 frames, 2 videos per class of UCF-101: 76.4 % top-1 published.

X-CLIP (ECCV 2022), few-shot; first test split, one view. Batch 64 = 8 GPUs x 8.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_base-p16.py',
    '../../_base_/datasets/ucf101.py',
    '../../_base_/pipelines/u32-res224.py',
    '../../_base_/schedules/adamw_50e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(blending=_base_.blending),
    neck=dict(num_frames=_base_.num_frames),
    cls_head=dict(classes=_base_.classes),
)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='lists/train1_few_shot_2.txt', pipeline=_base_.train_pipeline
    ),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
