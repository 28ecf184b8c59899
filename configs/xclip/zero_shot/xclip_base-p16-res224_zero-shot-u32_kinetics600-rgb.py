"""Zero-shot test on new classes of Kinetics-600: 65.2 % top-1 published (+-0.4).

Mean of 3 rounds of 160 of the 220 classes that Kinetics-400 lacks. X-CLIP-B/16
trained on Kinetics-400 with 32 frames (its config is here too); one view.

    python tools/test.py CONFIG CHECKPOINT

This is round 1; for round N add ``--cfg-options
model.cls_head.classes=kinetics600_zero_shot_splitN
test_dataloader.dataset.ann_file=lists/zero_shot_splitN.txt``.
"""

_base_ = [
    '../../_base_/models/xclip_base-p16.py',
    '../../_base_/datasets/kinetics600.py',
    '../../_base_/pipelines/u32-res224.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    neck=dict(num_frames=_base_.num_frames),
    cls_head=dict(classes='kinetics600_zero_shot_split1'),
)
test_dataloader = dict(
    dataset=dict(ann_file='lists/zero_shot_split1.txt', pipeline=_base_.test_pipeline)
)

# For testing only: training on these classes would not be zero-shot.
train_dataloader = None
val_dataloader = None
val_cfg = None
val_evaluator = None
