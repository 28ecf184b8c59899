"""Loaders of videos in lists. A child names the data set, a config the pipelines.

Folders and lists: docs/howto/protocols.md.
"""

blending = dict(
    type='RandomBatchAugment',
    augments=[
        dict(type='MixupBlending', alpha=0.8),
        dict(type='CutmixBlending', alpha=1.0),
    ],
)
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='SeededBatchSampler'),
    dataset=dict(
        type='VideoListDataset',
        ann_file='lists/train.txt',
        data_prefix=dict(video='videos'),
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoListDataset',
        ann_file='lists/val.txt',
        data_prefix=dict(video='videos'),
        test_mode=True,
    ),
)
test_dataloader = dict(val_dataloader, batch_size=2)
