"""X-CLIP-B/16 (DFN), 32 frames, 2 videos per class of HMDB-51.

Not trained by us. Starts from apple/DFN2B-CLIP-ViT-B-16 (Apple's research licence).
The paper's few-shot recipe: first test split, one view. Batch 64 = 8 GPUs x 8.
For K videos (2, 4, 8, 16) add ``--cfg-options
train_dataloader.dataset.ann_file=lists/train1_few_shot_K.txt``.

    bash tools/dist_train.sh CONFIG 8 --amp
"""

_base_ = [
    '../../_base_/models/xclip_base-p16_dfn.py',
    '../../_base_/datasets/hmdb51.py',
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
