"""X-CLIP at toy size for frames of 32 pixels: learns from nothing on a laptop.

All parts of the big models, the text tower frozen at its random initialisation.
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
        arch=dict(
            img_size=32,
            patch_size=8,
            embed_dims=96,
            depth=2,
            num_heads=4,
            out_dims=128,
        ),
    ),
    # Linear layers five times larger than the recipe's, which counts on CLIP: from
    # nothing, the order of the frames is else not noticed for many epochs.
    neck=dict(
        type='MIT',
        embed_dims=128,
        num_frames=8,
        num_heads=2,
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.1),
    ),
    cls_head=dict(
        type='XCLIPHead',
        text_encoder=dict(
            type='CLIPTextEncoder',
            arch=dict(
                embed_dims=128,
                depth=2,
                num_heads=2,
                out_dims=128,
                context_length=77,
                vocab_size=49408,
            ),
        ),
        prompt=dict(
            type='VideoSpecificPrompt', embed_dims=128, context_dims=96, num_heads=2
        ),
        logit_scale=100.0,  # what CLIP's training arrives at
        average_clips='prob',
    ),
)
