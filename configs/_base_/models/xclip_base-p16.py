"""X-CLIP-B/16: a child gives classes and num_frames.

Frames are normalised with the mean and deviation of ImageNet, as the released
weights were, not with CLIP's.
"""

model = dict(
    type='Recognizer3D',
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    backbone=dict(
        type='XCLIPViT',
        arch='b/16',
        init_cfg=dict(type='CLIPPretrained', checkpoint='ViT-B/16'),
    ),
    neck=dict(type='MIT', embed_dims=512, num_frames=8),
    cls_head=dict(
        type='XCLIPHead',
        text_encoder=dict(type='CLIPTextEncoder', arch='b/16'),
        prompt=dict(type='VideoSpecificPrompt', embed_dims=512, context_dims=768),
        label_smooth_eps=0.1,
        average_clips='prob',
        init_cfg=dict(type='CLIPPretrained', checkpoint='ViT-B/16'),
    ),
)
