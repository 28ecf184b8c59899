"""Base-to-novel on Kinetics-400: 74.1 / 56.4 / 64.0 % published.

Top-1 of base classes / novel classes / their harmonic mean, 3 seeds: X-CLIP in FROSTER
(ICLR 2024), table 1. The schedule is that of ViFi-CLIP (CVPR 2023), whose protocol it
is: B/16, 32 frames, 16 videos of each base class. Batch 64 = 8 GPUs x 8.

    bash tools/dist_train.sh CONFIG 8 --amp

This is seed 1; for seed N add ``--cfg-options
train_dataloader.dataset.ann_file=lists/base2novel/fs_base_sN_train.txt``. Testing is
on the base classes; for the novel ones add to tools/test.py ``--cfg-options
model.cls_head.classes=kinetics400_novel
test_dataloader.dataset.ann_file=lists/base2novel/novel_val.txt``.
"""

_base_ = [
    '../../_base_/models/xclip_base-p16.py',
    '../../_base_/datasets/kinetics400.py',
    '../../_base_/pipelines/u32-res224.py',
    '../../_base_/schedules/adamw_11e.py',
    '../../_base_/default_runtime.py',
]

blending = dict(
    _base_.blending,
    augments=[dict(step, num_classes=200) for step in _base_.blending.augments],
)

model = dict(
    data_preprocessor=dict(blending=blending),
    neck=dict(num_frames=_base_.num_frames),
    cls_head=dict(classes='kinetics400_base'),
)
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='lists/base2novel/fs_base_s1_train.txt', pipeline=_base_.train_pipeline
    ),
)
val_dataloader = dict(
    dataset=dict(ann_file='lists/base2novel/base_val.txt', pipeline=_base_.val_pipeline)
)
test_dataloader = dict(
    dataset=dict(
        ann_file='lists/base2novel/base_val.txt', pipeline=_base_.test_pipeline
    )
)
