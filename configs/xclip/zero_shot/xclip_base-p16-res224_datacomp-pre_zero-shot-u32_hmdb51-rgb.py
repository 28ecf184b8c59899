"""Zero-shot test on HMDB-51 of X-CLIP-B/16 (DataComp).

Trained on Kinetics-400 by the config beside this one; one view. No accuracy is known.

    python tools/test.py CONFIG CHECKPOINT

This is split 1; for split N add ``--cfg-options
test_dataloader.dataset.ann_file=lists/valN.txt``.
"""

_base_ = [
    '../../_base_/models/xclip_base-p16_datacomp.py',
    '../../_base_/datasets/hmdb51.py',
    '../../_base_/pipelines/u32-res224.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    neck=dict(num_frames=_base_.num_frames), cls_head=dict(classes=_base_.classes)
)
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# For testing only: training on these classes would not be zero-shot.
train_dataloader = None
val_dataloader = None
val_cfg = None
val_evaluator = None
