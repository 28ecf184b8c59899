"""All methods on the shape-actions data, small, from nothing, on one core.

    python tools/benchmark_methods.py THIS_FILE

``budget`` replaces the settings of every config, ``parts`` the arguments of the
types in its model, ``methods`` are the rows of the table. No weights are loaded:
what a method owes to its pretraining does not show here.
"""

seeds = [0, 1, 2]
num_epochs = 4
num_frames = 4
classes = [
    'moving left',
    'moving right',
    'moving up',
    'moving down',
    'growing',
    'shrinking',
    'turning clockwise',
    'turning counter-clockwise',
]

train_pipeline = [
    dict(type='InMemoryVideoInit'),
    dict(type='SegmentSampleFrames', num_frames=num_frames),
    dict(type='VideoDecode'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='InMemoryVideoInit'),
    dict(type='SegmentSampleFrames', num_frames=num_frames, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
budget = dict(
    train_dataloader=dict(
        batch_size=16,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        drop_last=True,
        dataset=dict(
            type='VideoListDataset',
            data_root='data/shape_actions',
            ann_file='train.txt',
            data_prefix=dict(video=''),
            pipeline=train_pipeline,
        ),
    ),
    test_dataloader=dict(
        batch_size=50,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='VideoListDataset',
            data_root='data/shape_actions',
            ann_file='val.txt',
            data_prefix=dict(video=''),
            pipeline=test_pipeline,
            test_mode=True,
        ),
    ),
    val_dataloader=None,
    val_cfg=None,
    val_evaluator=None,
    train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=num_epochs),
    optim_wrapper=dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
        constructor='GroupedOptimWrapperConstructor',
        # The order of the frames is else not noticed for many epochs.
        paramwise_cfg=dict(
            lr_mult={'neck.positional_embedding': 20, 'time_embed': 20},
            no_decay=['positional_embedding', 'pos_embed', 'time_embed'],
        ),
    ),
    param_scheduler=dict(type='WarmupCosineLR', warmup=0.4, convert_to_iter_based=True),
    default_hooks=dict(
        logger=dict(type='LoggerHook', interval=100),
        param_scheduler=dict(type='ParamSchedulerHook'),
        timer=dict(type='IterTimerHook'),
        runtime_info=dict(type='RuntimeInfoHook'),
        sampler_seed=dict(type='DistSamplerSeedHook'),
        checkpoint=None,
    ),
    visualizer=None,
    auto_scale_lr=None,
)

text_arch = dict(
    embed_dims=64,
    depth=2,
    num_heads=2,
    out_dims=64,
    context_length=77,
    vocab_size=49408,
)
parts = {
    'cls_head': dict(classes=classes, num_classes=len(classes)),
    'ActionDataPreprocessor': dict(blending=None),
    # X-CLIP and its variants
    'XCLIPViT': dict(
        arch=dict(
            img_size=32,
            patch_size=8,
            embed_dims=64,
            depth=2,
            num_heads=4,
            out_dims=64,
        ),
        init_cfg=None,
    ),
    'MIT': dict(
        embed_dims=64,
        num_frames=num_frames,
        num_heads=2,
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.1),
    ),
    'XCLIPHead': dict(label_smooth_eps=0.0, init_cfg=None),
    'CLIPTextEncoder': dict(arch=text_arch),
    'VideoSpecificPrompt': dict(embed_dims=64, context_dims=64, num_heads=2),
    'ContextVectors': dict(embed_dims=64),
    'FrameEncoder': dict(in_channels=64, out_dims=64),
    'mmpretrain.SwinTransformer': dict(
        arch=dict(embed_dims=32, depths=[1, 1], num_heads=[2, 4]),
        img_size=32,
        out_indices=(1,),
        window_size=4,
        drop_path_rate=0.0,
        init_cfg=None,
    ),
    # MMAction2's own
    'SwinTransformer3D': dict(
        arch=dict(embed_dims=32, depths=[1, 1], num_heads=[2, 4]),
        window_size=(4, 4, 4),
        out_indices=(1,),
        drop_path_rate=0.0,
        pretrained=None,
        pretrained2d=False,
    ),
    'I3DHead': dict(in_channels=64, dropout_ratio=0.0),
    'TimeSformer': dict(
        num_frames=num_frames,
        img_size=32,
        patch_size=8,
        embed_dims=64,
        num_heads=4,
        num_transformer_layers=2,
        pretrained=None,
    ),
    'TimeSformerHead': dict(in_channels=64, label_smooth_eps=0.0),
    'UniFormerV2': dict(
        input_resolution=32,
        patch_size=8,
        width=64,
        t_size=num_frames,
        layers=2,
        heads=4,
        return_list=[0, 1],
        n_layers=2,
        n_dim=64,
        n_head=4,
        mlp_dropout=[0.0, 0.0],
        clip_pretrained=False,
        pretrained=None,
    ),
    'UniFormerHead': dict(in_channels=64, dropout_ratio=0.0),
}

_full = 'configs/xclip/fully_supervised/xclip_base-p16-res224_clip-pre'
_variant = 'configs/xclip/ablations/xclip_base-p16'
_k400 = '8xb32-u8-30e_kinetics400-rgb.py'
_sformer = 'in21k-pre_8xb8-8x32x1-15e_kinetics400-rgb.py'
_prompt = 'model.cls_head.prompt'
_train = 'train_dataloader.dataset.pipeline.1'
_test = 'test_dataloader.dataset.pipeline.1'
_dense = dict(type='SampleFrames', clip_len=num_frames, frame_interval=1, num_clips=1)
methods = [
    dict(name='X-CLIP', config=f'{_full}_{_k400}'),
    dict(name='CLIP-Mean', config=f'{_variant}_clip-mean_{_k400}'),
    dict(
        name='CLIP-One',
        config=f'{_variant}_clip-one_{_k400}',
        options={f'{_train}.num_frames': 1, f'{_test}.num_frames': 1},
    ),
    dict(name='CLIP-Joint', config=f'{_variant}_clip-joint_{_k400}'),
    dict(name='+ CCT', config=f'{_variant}_cct_{_k400}'),
    dict(name='+ CCT + MIT', config=f'{_variant}_cct-mit_{_k400}'),
    dict(
        name='TSM',
        config='configs/tsm/tsm_r50-in1k-pre_8xb16-1x1x8-50e_kinetics400-rgb.py',
        # MMAction2's ResNet has no width to shrink.
        options={
            'model.backbone': dict(
                _delete_=True,
                type='MobileNetV2TSM',
                num_segments=num_frames,
                widen_factor=0.5,
                pretrained=None,
                pretrained2d=False,
            ),
            'model.cls_head.in_channels': 1280,
            'model.cls_head.num_segments': num_frames,
            'model.cls_head.dropout_ratio': 0.0,
        },
    ),
    dict(
        name='Video Swin',
        config='configs/swin/'
        'swin-base-p244-w877_in21k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py',
    ),
    dict(
        name='TimeSformer divided',
        config=f'configs/timesformer/timesformer_divST-{_sformer}',
    ),
    dict(
        name='TimeSformer joint',
        config=f'configs/timesformer/timesformer_jointST-{_sformer}',
    ),
    dict(
        name='TimeSformer space-only',
        config=f'configs/timesformer/timesformer_spaceOnly-{_sformer}',
    ),
    dict(
        name='ActionCLIP',
        config=f'configs/actionclip/actionclip_base-p16-res224_clip-pre_{_k400}',
    ),
    dict(
        name='UniFormerV2',
        config='configs/uniformerv2/'
        'uniformerv2-base-p16-res224_clip-pre_8xb32-u8-55e_kinetics400-rgb.py',
    ),
    dict(name='Prompt depth 1', config=f'{_variant}_prompt-depth1_{_k400}'),
    dict(name='Prompt depth 3', config=f'{_variant}_prompt-depth3_{_k400}'),
    dict(name='Prompt depth 4', config=f'{_variant}_prompt-depth4_{_k400}'),
    dict(name='Prompt, alpha fixed', config=f'{_variant}_prompt-alpha-fixed_{_k400}'),
    dict(name='Prompt asks frames', config=f'{_variant}_prompt-frames_{_k400}'),
    dict(name='16 templates', config=f'{_variant}_templates16_{_k400}'),
    dict(name='1 template', config=f'{_variant}_template1_{_k400}'),
    dict(name='Context vectors', config=f'{_variant}_context-vectors_{_k400}'),
    dict(name='Content prompt', config=f'{_variant}_content-prompt_{_k400}'),
    dict(name='Frozen: nothing', config=f'{_variant}_frozen-nothing_{_k400}'),
    dict(name='Frozen: image', config=f'{_variant}_frozen-image_{_k400}'),
    dict(name='Frozen: all but new', config=f'{_variant}_frozen-all-but-new_{_k400}'),
    dict(name='ViT-Mean, linear head', config=f'{_variant}_vit-mean-scratch_{_k400}'),
    dict(name='CCT + MIT, linear head', config=f'{_variant}_cct-mit-scratch_{_k400}'),
    dict(
        name='Dense sampling',
        config=f'{_variant}_dense_{_k400}',
        options={_train: _dense, _test: dict(_dense, test_mode=True)},
    ),
    dict(
        name='Tested with twice the frames',
        config=f'{_variant}_test-u16_{_k400}',
        options={f'{_test}.num_frames': 2 * num_frames},
    ),
    dict(
        name="X-Florence's shape",
        config=f'{_variant}_x-florence_{_k400}',
    ),
]
