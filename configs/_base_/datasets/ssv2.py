"""Something-Something v2.

Folders and lists: docs/protocols.md. A child gives the pipelines.
"""

classes = 'ssv2'
num_classes = 174
blending = dict(
    type='RandomBatchAugment',
    augments=[
        dict(type='MixupBlending', num_classes=num_classes, alpha=0.8),
        dict(type='CutmixBlending', num_classes=num_classes, alpha=1.0),
    ],
)

data_root = 'data/ssv2'
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='SeededBatchSampler'),
    dataset=dict(
        type='VideoListDataset',
        data_root=data_root,
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
        data_root=data_root,
        ann_file='lists/val.txt',
        data_prefix=dict(video='videos'),
        test_mode=True,
    ),
)
test_dataloader = dict(val_dataloader, batch_size=2)
