"""Google's SigLIP 2 B/16 at 224 pixels (Apache 2.0), in X-Florence's shape.

Needs transformers: pip install 'mmxclip[transformers]'. Its towers are those of
transformers, without messages between frames, so MIT has X-Florence's four layers. MIT
and prompt are as wide as its joint space.
"""

checkpoint = 'hf-hub:google/siglip2-base-patch16-224'
weights = dict(type='CLIPPretrained', checkpoint=checkpoint)
tower = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        _delete_=True,
        type='FrameEncoder',
        backbone=dict(type='HFVisionTower', source=checkpoint, init_cfg=weights),
    ),
    neck=dict(embed_dims=768, depth=4),
    cls_head=dict(
        text_encoder=dict(_delete_=True, type='HFTextEncoder', source=checkpoint),
        prompt=dict(embed_dims=768, context_dims=768),
        init_cfg=weights,
    ),
)
del checkpoint, weights  # no keys of a config
