"""The recipe's pipelines: 8 frames of 224 pixels, tested with 4 clips x 3 crops."""

num_frames = 8
size = 224

train_pipeline = [
    dict(type='VideoInit'),
    dict(type='SegmentSampleFrames', num_frames=num_frames),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(
        type='MultiScaleCrop',
        input_size=size,
        scales=(1, 0.875, 0.75, 0.66),
        max_wh_scale_gap=1,
    ),
    dict(type='Resize', scale=(size, size), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='VideoColorJitter', prob=0.8),  # per_clip=True: one draw for a clip
    dict(type='VideoGrayscale', prob=0.2),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]

val_pipeline = [
    dict(type='VideoInit'),
    dict(type='SegmentSampleFrames', num_frames=num_frames, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=size),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]

# 4 clips x 3 crops
test_pipeline = [
    dict(type='VideoInit'),
    dict(
        type='SegmentSampleFrames',
        num_frames=num_frames,
        num_views=4,
        test_mode=True,
    ),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, size)),
    dict(type='ThreeCrop', crop_size=size),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
